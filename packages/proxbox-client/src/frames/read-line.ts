import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { SourceFailed, type SourceFrame, type SourceGroup } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type FailedFrame, Frame, type GroupFrame, rowTitle } from '../contract/frame.ts'
import { boundedText, shapeError } from '../foreign-text.ts'

/** One line as a frame. A canonical group is not parsed: its bytes are its facts. Throws {@link SourceFailed}. */
export function readLine(line: Buffer, number: number): SourceFrame {
  const server = serverOfCanonicalGroup(line)
  if (server !== null) return { _tag: 'group', server, digest: digestOf(line), parse: parseLater(line, number) }

  const frame = parseLine(line, number)
  if (frame.frame !== 'group') return sourceFrame(frame)
  // Another order of keys must not look like other facts: parsing has put them into that of the contract.
  const digest = digestOf(JSON.stringify(frame))
  return { _tag: 'group', server: frame.server, digest, parse: Effect.sync(() => sourceGroup(frame)) }
}

const digestOf = (bytes: Buffer | string) => hash('sha256', bytes, 'hex')

function parseLater(line: Buffer, number: number) {
  return Effect.try({
    try: () => {
      const frame = parseLine(line, number)
      if (frame.frame !== 'group') throw malformed(number, 'frame: is named twice')
      return sourceGroup(frame)
    },
    catch: asSourceFailed,
  })
}

/** Checks the types of a frame and drops unknown keys; what it throws names the row and the field. */
function parseLine(line: Buffer, number: number): Frame {
  const value = jsonOf(line, number)
  const read = Frame.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const field = issue?.path.map(String).join('.') ?? ''
  if (issue === undefined || field === '' || field === 'frame') {
    throw malformed(number, 'frame: is not one that this release knows')
  }
  throw malformed(number, boundedText(`${field}: ${issue.message}`), boundedText(rowTitle(value, issue.path)))
}

function jsonOf(line: Buffer, number: number): unknown {
  if (!isUtf8(line)) throw malformed(number, 'is not UTF-8')
  const rejected = shapeError(line)
  if (rejected !== null) throw malformed(number, rejected)
  try {
    return JSON.parse(line.toString('utf8'))
  } catch {
    // The message of V8 quotes the line.
    throw malformed(number, 'is not JSON')
  }
}

/** The error of a stream that breaks the contract, at the frame with this number. */
export function malformed(number: number, what: string, row?: string): SourceFailed {
  return new SourceFailed({
    code: 'protocol',
    message: `frame ${number}${row === undefined ? '' : ` (${row})`} of the gateway's stream: ${what}; check that gateway and netbox-pbs are of the same release`,
    retryable: false,
  })
}

/** The error that {@link readLine} throws; anything else is a bug. */
export function asSourceFailed(error: unknown): SourceFailed {
  if (error instanceof SourceFailed) return error
  throw error
}

const opening = Buffer.from('{"frame":"group","server":"')
const next = Buffer.from(',"datastore_name":"')
const closing = Buffer.from(']}')
const quote = 0x22
const backslash = 0x5c

/**
 * The server of a group's frame as its raw line names it, without parsing the rest; null when the line does not begin
 * and end as a canonical group does.
 */
export function serverOfCanonicalGroup(line: Buffer): string | null {
  if (!startsWith(line, opening, 0) || !startsWith(line, closing, line.length - closing.length)) return null
  const end = endOfString(line, opening.length)
  if (end === -1 || !startsWith(line, next, end + 1)) return null
  const text = line.toString('utf8', opening.length, end)
  return text.includes('\\') ? unescaped(text) : text
}

function startsWith(line: Buffer, part: Buffer, at: number): boolean {
  return at >= 0 && line.length >= at + part.length && line.compare(part, 0, part.length, at, at + part.length) === 0
}

function endOfString(line: Buffer, start: number): number {
  for (let at = start; at < line.length; at += 1) {
    if (line[at] === quote) return at
    if (line[at] === backslash) at += 1
  }
  return -1
}

function unescaped(text: string): string | null {
  try {
    const value: unknown = JSON.parse(`"${text}"`)
    return typeof value === 'string' ? value : null
  } catch {
    return null
  }
}

/** A frame in core's words: facts apart from observations, and the scope as one value. */
function sourceFrame(wire: Exclude<Frame, GroupFrame>): SourceFrame {
  switch (wire.frame) {
    case 'scope': {
      const { frame: _, ...scope } = wire
      return { _tag: 'scope', scope }
    }
    case 'server': {
      const { frame: _, server: _name, observed, ...facts } = wire
      const { error } = observed
      const withSentence = error === undefined ? {} : { error: { ...error, message: sentence(error.message) } }
      return { _tag: 'server', facts, observed: { ...observed, ...withSentence } }
    }
    case 'datastore': {
      const { frame: _, server, observed, ...facts } = wire
      return { _tag: 'datastore', server, facts, observed }
    }
    case 'namespace': {
      const { frame: _, server, ...facts } = wire
      return { _tag: 'namespace', server, facts }
    }
    case 'job': {
      const { frame: _, server, observed, ...facts } = wire
      return { _tag: 'job', server, facts, observed }
    }
    case 'task': {
      const { frame: _, server, observed, ...facts } = wire
      return { _tag: 'task', server, facts, observed }
    }
    case 'complete': {
      const { frame: _, count, visibility, left_out, ...scope } = wire
      return { _tag: 'complete', scope, count, visibility, leftOut: left_out ?? 0 }
    }
    case 'failed':
      return failed(wire)
    case 'warning': {
      const { frame: _, code, message, ...scope } = wire
      return { _tag: 'warning', scope, code, message: sentence(message) }
    }
    case 'end':
      return { _tag: 'end' }
  }
}

function failed({ frame: _, error, retryable, server_answers, ...scope }: FailedFrame): SourceFrame {
  const { code, message, presented_fingerprint } = error
  return {
    _tag: 'failed',
    scope,
    code,
    message: sentence(message),
    retryable,
    ...(presented_fingerprint === undefined ? {} : { presentedFingerprint: presented_fingerprint }),
    ...(server_answers === undefined ? {} : { serverAnswers: server_answers }),
  }
}

/** Messages are stored with the run and shown: a line, not a page. */
const sentence = (message: string) => boundedText(message, [], 2000)

/** A group in core's words. */
function sourceGroup(wire: GroupFrame): SourceGroup {
  const { frame: _, server: _server, left_out: _left, snapshots, ...facts } = wire
  return { facts, snapshots }
}
