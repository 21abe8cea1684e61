import { isReadable, type ListRow, UnreadableRow } from '@netbox-pbs/pbs-client'
import { storable } from '../translate/text.ts'
import { leftOut, type Note } from './note.ts'

/** A list, and a note for each of its rows that cannot be understood. */
export interface ReadableRows<A> {
  readonly rows: ReadonlyArray<A>
  readonly unreadable: ReadonlyArray<UnreadableRow>
  readonly notes: ReadonlyArray<Note>
}

/**
 * Takes the rows that cannot be understood out of a list.
 *
 * @param kind - What a row is: `datastore`.
 */
export const readableRows = <A>(kind: string, list: ReadonlyArray<ListRow<A>>): ReadableRows<A> => {
  const unreadable = list.filter((row) => row instanceof UnreadableRow)
  return {
    rows: unreadable.length === 0 ? (list as ReadonlyArray<A>) : list.filter(isReadable),
    unreadable,
    notes: unreadable.map((row) => unreadableNote(kind, row)),
  }
}

/** The note of a row that is left out. It names the row as far as it tells who it is, else its place in the list. */
export const unreadableNote = (kind: string, row: UnreadableRow): Note => leftOut(nameOf(kind, row), reasonOf(row))

/** The note of a row that only adds to rows of another list, which stand without it. */
export const additionNote = (kind: string, row: UnreadableRow): Note => ({
  code: 'state_unavailable',
  message: `${nameOf(kind, row)} cannot be read, what it says counts as unknown: ${reasonOf(row)}`,
})

const nameOf = (kind: string, { row, value }: UnreadableRow): string =>
  `${kind} ${identityOf(value) ?? `in row ${row} of the list`}`

const reasonOf = ({ field, reason }: UnreadableRow): string => (field === '' ? reason : `${field}: ${reason}`)

/** The fields that name a row, the most precise first. */
const naming = [['backup-type', 'backup-id', 'backup-time'], ['id'], ['upid'], ['ns'], ['store'], ['name']]

const identityOf = (value: unknown): string | null => {
  if (typeof value !== 'object' || value === null) return null
  for (const fields of naming) {
    const parts = fields
      .map((field) => Reflect.get(value, field))
      .filter((part) => typeof part === 'string' || typeof part === 'number')
    if (parts.length > 0) return storable(parts.join('/')).slice(0, 255)
  }
  return null
}
