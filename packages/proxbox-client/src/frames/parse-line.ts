import { isUtf8 } from 'node:buffer'
import { SourceFailed } from '@netbox-pbs/core/ports'
import type { z } from 'zod'
import type { Frame, FrameName } from '../contract/frame.ts'
import { frameSchema, isFrameName } from '../contract/frame-schemas.ts'
import { rowTitle } from '../contract/row-title.ts'
import { boundedText } from '../http/bounded-text.ts'
import { shapeError } from '../http/json-shape.ts'

/** Reads one line as a frame: types are checked, unknown keys dropped. Throws {@link SourceFailed} that names the row and the field. */
export function parseLine(line: Buffer, number: number): Frame {
  const value = jsonOf(line, number)
  const name = typeof value === 'object' && value !== null && 'frame' in value ? value.frame : undefined
  if (!isFrameName(name)) throw malformed(number, 'frame: is not one that this release knows')
  return parseAs(name, value, number)
}

/** Reads a JSON value as a frame of one kind. */
function parseAs<N extends FrameName>(name: N, value: unknown, number: number): Extract<Frame, { readonly frame: N }> {
  const read = frameSchema(name).safeParse(value)
  if (read.success) return read.data
  const issue = read.error.issues[0]
  if (issue === undefined) throw malformed(number, 'cannot be read', name)
  throw malformed(number, describe(issue), name, boundedText(rowTitle(value, issue.path)))
}

function jsonOf(line: Buffer, number: number): unknown {
  if (!isUtf8(line)) throw malformed(number, 'is not UTF-8')
  const rejected = shapeError(line)
  if (rejected !== null) throw malformed(number, rejected)
  try {
    return JSON.parse(line.toString('utf8'))
  } catch {
    // What V8 says quotes the line.
    throw malformed(number, 'is not JSON')
  }
}

function describe(issue: z.core.$ZodIssue): string {
  return boundedText(`${issue.path.map(String).join('.')}: ${issue.message}`)
}

/** The stream is not what the contract says. */
export function malformed(number: number, what: string, name?: FrameName, row?: string): SourceFailed {
  return new SourceFailed({
    code: 'protocol',
    message: `frame ${number}${name === undefined ? '' : ` (${row ?? name})`} of the gateway's stream: ${what}; check that gateway and netbox-pbs are of the same release`,
    retryable: false,
  })
}
