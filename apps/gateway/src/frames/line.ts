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

/** What of a row can be sent: all of it, a group without some of its snapshots, or nothing; and a note for each thing that is left out. */
export interface RowLine {
  readonly line: (Line & { readonly frame: RowFrame }) | null
  readonly notes: ReadonlyArray<Note>
}

/**
 * A row that carries what a source sent. It is read as its consumer will read it, so that what breaks the contract costs the
 * snapshot or row it stands in, and nothing else; neither does a row that is larger than a frame may be.
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

/** UTF-16 units bound the bytes from below; only a text near the limit is worth measuring. */
const isTooLarge = (text: string): boolean =>
  text.length > maxFrameBytes || (text.length * 3 > maxFrameBytes && Buffer.byteLength(text) - 1 > maxFrameBytes)
