import { type Frame, maxFrameBytes, RowFrame, rowTitle } from '@netbox-pbs/proxbox-client/contract'
import type { z } from 'zod'
import { leftOut, type Note } from './note.ts'

/** A frame and its line, newline included. */
export interface Line {
  readonly frame: Frame
  readonly text: string
}

/** The line of a frame whose keys are written in the order of the contract. */
export const lineOf = <F extends Frame>(frame: F) => ({ frame, text: `${JSON.stringify(frame)}\n` })

/**
 * The part of a row that can be sent: all of it, a group without some of its snapshots, or nothing.
 * Each part that is left out has a note.
 */
export interface RowLine {
  readonly line: (Line & { readonly frame: RowFrame }) | null
  readonly notes: ReadonlyArray<Note>
}

/**
 * The line of a row. The frame is read as its consumer will read it: that puts its keys into the
 * order of the contract, and a value which breaks the contract costs only its own snapshot or row.
 * A row that is larger than a frame may be is left out too.
 */
export const rowLine = (row: RowFrame): RowLine => {
  const read = RowFrame.safeParse(row)
  if (read.success) return boundedLine(read.data, [])
  const { issues } = read.error
  const [first] = issues
  if (row.frame !== 'group' || issues.some(({ path }) => path[0] !== 'snapshots')) {
    const why = first === undefined ? 'it breaks the contract' : `${fieldOf(first.path)}: ${first.message}`
    return { line: null, notes: [leftOut(rowTitle(row), why)] }
  }
  const bad = new Map(issues.map((issue) => [issue.path[1], issue]))
  const rest = RowFrame.parse({
    ...row,
    left_out: (row.left_out ?? 0) + bad.size,
    snapshots: row.snapshots.filter((_, index) => !bad.has(index)),
  })
  const notes = [...bad.values()].map(({ path, message }) =>
    leftOut(rowTitle(row, path), `${fieldOf(path.slice(2))}: ${message}`),
  )
  return boundedLine(rest, notes)
}

const fieldOf = (path: z.core.$ZodIssue['path']): string => path.map(String).join('.')

const boundedLine = (frame: RowFrame, notes: ReadonlyArray<Note>): RowLine => {
  const line = lineOf(frame)
  if (!isTooLarge(line.text)) return { line, notes }
  return {
    line: null,
    notes: [
      ...notes,
      leftOut(rowTitle(frame), `it is larger than ${maxFrameBytes / 1024 / 1024} MiB and cannot be passed on`),
    ],
  }
}

/**
 * A text has at least as many bytes as UTF-16 units, and at most three times as many: only a text
 * between is measured.
 */
const isTooLarge = (text: string): boolean =>
  text.length > maxFrameBytes || (text.length * 3 > maxFrameBytes && Buffer.byteLength(text) - 1 > maxFrameBytes)
