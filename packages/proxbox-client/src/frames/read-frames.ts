import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { SourceFailed, type SourceFrame, type SourceGroup } from '@netbox-pbs/core/ports'
import { Channel, Chunk, Effect, Stream } from 'effect'
import { type FailedFrame, Frame, type GroupFrame, rowTitle } from '../contract/frame.ts'
import { maxFrameBytes } from '../contract/sync-request.ts'
import { boundedText, shapeError } from '../foreign-text.ts'
import { cutOff } from '../http/response.ts'

/**
 * The frames of a sync stream; frames before a malformed one come first. `end` comes last, when the
 * stream has really ended; a stream without it fails with `cut_off`.
 */
export function readFrames(
  bytes: Stream.Stream<Uint8Array, SourceFailed>,
  base: string,
): Stream.Stream<SourceFrame, SourceFailed> {
  return Stream.pipeThroughChannel(
    bytes,
    Channel.suspend(() => readFrom(new FrameReader(), base)),
  )
}

type FrameChannel = Channel.Channel<
  Chunk.Chunk<SourceFrame>,
  Chunk.Chunk<Uint8Array>,
  SourceFailed,
  SourceFailed,
  unknown,
  unknown
>

function readFrom(reader: FrameReader, base: string): FrameChannel {
  const finish = (failed: SourceFailed): FrameChannel =>
    reader.end === null ? Channel.fail(failed) : Channel.write(Chunk.of(reader.end))
  return Channel.readWith({
    onInput: (chunks) => {
      const { frames, failed } = reader.read(chunks)
      const given = frames.length === 0 ? Channel.void : Channel.write(Chunk.unsafeFromArray(frames))
      return Channel.flatMap(given, () => (failed === null ? readFrom(reader, base) : Channel.fail(failed)))
    },
    onFailure: finish,
    onDone: () => finish(cutOff(base, undefined)),
  })
}

/** The contract has no empty lines; some are taken, an endless row of them is not. */
const maxBlank = 1000

class FrameReader {
  readonly #lines = new LineSplitter(maxFrameBytes)
  #number = 0
  #blank = 0
  /** The `end` that was read. */
  end: SourceFrame | null = null

  read(chunks: Chunk.Chunk<Uint8Array>): { readonly frames: Array<SourceFrame>; readonly failed: SourceFailed | null } {
    const frames: Array<SourceFrame> = []
    try {
      for (const chunk of chunks) {
        for (const line of this.#lines.push(chunk)) {
          const frame = this.#frameOf(line)
          if (frame !== null) frames.push(frame)
        }
      }
      return { frames, failed: null }
    } catch (error) {
      return { frames, failed: asSourceFailed(error) }
    }
  }

  #frameOf(line: Buffer | typeof tooLong): SourceFrame | null {
    this.#number += 1
    if (line === tooLong) throw malformed(this.#number, `is larger than ${maxFrameBytes} bytes`)
    if (line.length === 0) {
      this.#blank += 1
      if (this.#blank > maxBlank) throw malformed(this.#number, `is the ${this.#blank}th that is empty`)
      return null
    }
    if (this.end !== null) throw malformed(this.#number, 'comes after the end')
    const frame = readLine(line, this.#number)
    if (frame._tag !== 'end') return frame
    this.end = frame
    return null
  }
}

const newline = 0x0a

/** A line grew beyond the limit. */
export const tooLong = Symbol('tooLong')

/** Cuts bytes into lines. Between two chunks it holds the beginning of one line, never more. */
export class LineSplitter {
  readonly #max: number
  #parts: Array<Buffer> = []
  #size = 0

  /** @param max - The most bytes of a line, its newline apart. */
  constructor(max: number) {
    this.#max = max
  }

  /**
   * The lines that end in this chunk, without their newlines; after a line that is too long there
   * is nothing more to cut.
   */
  *push(chunk: Uint8Array): Generator<Buffer | typeof tooLong> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let start = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      if (this.#size + end - start > this.#max) return yield tooLong
      yield this.#take(bytes.subarray(start, end))
      start = end + 1
    }
    this.#keep(bytes.subarray(start))
    if (this.#size > this.#max) yield tooLong
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return
    this.#parts.push(part)
    this.#size += part.length
  }

  #take(last: Buffer): Buffer {
    if (this.#size === 0) return last
    const line = Buffer.concat([...this.#parts, last], this.#size + last.length)
    this.#parts = []
    this.#size = 0
    return line
  }
}

/** One line as a frame; throws {@link SourceFailed}. A canonical group is not parsed: its bytes are its facts. */
function readLine(line: Buffer, number: number): SourceFrame {
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

/** Checks the types of a frame and drops unknown keys; its error names the row and the field. */
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
function malformed(number: number, what: string, row?: string): SourceFailed {
  return new SourceFailed({
    code: 'protocol',
    message: `frame ${number}${row === undefined ? '' : ` (${row})`} of the gateway's stream: ${what}; check that gateway and netbox-pbs are of the same release`,
    retryable: false,
  })
}

/** The error that {@link readLine} throws; anything else is a bug. */
function asSourceFailed(error: unknown): SourceFailed {
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
      const unknown = facts.unknown?.filter((column) => Object.hasOwn(observed, column)) ?? []
      return { _tag: 'datastore', server, facts, observed: unknown.length === 0 ? observed : { ...observed, unknown } }
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
    case 'unchanged_group':
      return { _tag: 'unchanged_group', server: wire.server, listDigest: wire.list_digest }
    case 'unchanged_frame': {
      const { server, backup_type: backupType, backup_id: backupId, digest, count } = wire
      return { _tag: 'unchanged_frame', server, backupType, backupId, digest, count }
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
      return { _tag: 'end', ...(wire.costs === undefined ? {} : { costs: wire.costs }) }
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
  const { frame: _, server: _server, left_out: _left, list_digest, snapshots, ...facts } = wire
  return { facts, snapshots, listDigest: list_digest ?? null }
}
