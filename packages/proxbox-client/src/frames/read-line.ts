import { hash } from 'node:crypto'
import { SourceFailed, type SourceFrame } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { encodeFrame } from '../contract/encode-frame.ts'
import { serverOfCanonicalGroup } from './canonical-group.ts'
import { malformed, parseLine } from './parse-line.ts'
import { sourceFrame, sourceGroup } from './source-frame.ts'

/** One line as a frame. A canonical group is not parsed: its bytes are its facts. Throws {@link SourceFailed}. */
export function readLine(line: Buffer, number: number): SourceFrame {
  const server = serverOfCanonicalGroup(line)
  if (server !== null) return { _tag: 'group', server, digest: digestOf(line), parse: parseLater(line, number) }

  const frame = parseLine(line, number)
  if (frame.frame !== 'group') return sourceFrame(frame)
  // Another order of keys must not look like other facts.
  const digest = digestOf(encodeFrame(frame).slice(0, -1))
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

/** What {@link readLine} and its callees throw; anything else is a bug. */
export function asSourceFailed(error: unknown): SourceFailed {
  if (error instanceof SourceFailed) return error
  throw error
}
