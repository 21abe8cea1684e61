import {
  type DatastoreFrame,
  encodeFrame,
  type Frame,
  frameSchema,
  type GroupFrame,
  type JobFrame,
  maxFrameBytes,
  type NamespaceFrame,
  rowTitle,
  type TaskFrame,
} from '@netbox-pbs/proxbox-client/contract'
import { leftOut, type Note } from './note.ts'

/** A frame and its canonical line, newline included. */
export interface Line {
  readonly frame: Frame
  readonly text: string
}

/** A row of a scope. */
export type RowFrame = DatastoreFrame | NamespaceFrame | GroupFrame | JobFrame | TaskFrame

/** A frame that carries no row. */
export const lineOf = (frame: Frame): Line => ({ frame, text: encodeFrame(frame) })

/** The part of a row that can be sent: all of it, a group without some of its snapshots, or nothing. Each part that is left out has a note. */
export interface RowLine {
  readonly line: (Line & { readonly frame: RowFrame }) | null
  readonly notes: ReadonlyArray<Note>
}

/**
 * The line of a row. The frame is checked as its consumer will check it, so that a value which breaks the contract costs
 * only its own snapshot or row. A row that is larger than a frame may be is left out too.
 */
export const rowLine = (row: RowFrame): RowLine => {
  const { frame, notes } = withinContract(row)
  if (frame === null) return { line: null, notes }
  const text = encodeFrame(frame)
  if (!isTooLarge(text)) return { line: { frame, text }, notes }
  return {
    line: null,
    notes: [leftOut(rowTitle(frame), `it is larger than ${maxFrameBytes / 1024 / 1024} MiB and cannot be passed on`)],
  }
}

const withinContract = (frame: RowFrame): { readonly frame: RowFrame | null; readonly notes: ReadonlyArray<Note> } => {
  const read = frameSchema(frame.frame).safeParse(frame)
  if (read.success) return { frame, notes: [] }
  const { issues } = read.error
  const bad = new Map(issues.flatMap((issue) => (issue.path[0] === 'snapshots' ? [[issue.path[1], issue]] : [])))
  const [first] = issues
  if (frame.frame !== 'group' || issues.some(({ path }) => path[0] !== 'snapshots')) {
    const why = first === undefined ? 'it breaks the contract' : `${first.path.map(String).join('.')}: ${first.message}`
    return { frame: null, notes: [leftOut(rowTitle(frame), why)] }
  }
  return {
    frame: {
      ...frame,
      left_out: (frame.left_out ?? 0) + bad.size,
      snapshots: frame.snapshots.filter((_, index) => !bad.has(index)),
    },
    notes: [...bad.values()].map(({ path, message }) =>
      leftOut(rowTitle(frame, path), `${path.slice(2).map(String).join('.')}: ${message}`),
    ),
  }
}

/** A text has at least as many bytes as UTF-16 units, and at most three times as many: only a text between is measured. */
const isTooLarge = (text: string): boolean =>
  text.length > maxFrameBytes || (text.length * 3 > maxFrameBytes && Buffer.byteLength(text) - 1 > maxFrameBytes)
