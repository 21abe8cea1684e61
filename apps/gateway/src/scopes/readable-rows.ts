import { isReadable, type ListRow, UnreadableRow } from '@netbox-pbs/pbs-client'
import { Effect } from 'effect'
import { storable } from './facts.ts'
import { leftOut, type Note } from './note.ts'
import type { ScopeFailed } from './scope-failed.ts'

/** A list with its unreadable rows apart, and a note for each of those. */
export interface ReadableRows<A> {
  readonly rows: ReadonlyArray<A>
  readonly unreadable: ReadonlyArray<UnreadableRow>
  readonly notes: ReadonlyArray<Note>
}

/**
 * Separates the unreadable rows of a list from the others.
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

/**
 * The note of a row that is left out. It names the row by its key where that can be read, else by
 * its place in the list.
 */
export const unreadableNote = (kind: string, row: UnreadableRow): Note => leftOut(nameOf(kind, row), reasonOf(row))

/** The note of an unreadable row that only adds observations to a row of another list, which is listed without it. */
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

/** A list of observations, empty where it could not be read. */
export interface ObservedRows<A> {
  readonly rows: ReadonlyArray<A>
  /** Notes of what is unknown, for the stores of these names. */
  readonly notes: (stores: ReadonlyArray<string>) => ReadonlyArray<Note>
}

/**
 * Reads a list that holds observations only. Its failure does not fail the facts: PBS fails the
 * whole list for one store in trouble (a statfs, a state file), or hangs with the disk of that
 * store.
 */
export const observedOnly = <A>(
  what: string,
  read: Effect.Effect<ReadonlyArray<ListRow<A>>, ScopeFailed>,
): Effect.Effect<ObservedRows<A>> =>
  Effect.match(read, {
    onSuccess: (list) => {
      const { rows, unreadable } = readableRows(what, list)
      return { rows, notes: () => unreadable.map((row) => additionNote(what, row)) }
    },
    onFailure: ({ message }) => ({
      rows: [],
      notes: (stores) => [
        { code: 'state_unavailable', message: `${what} of ${someOf(stores)} is unknown: ${message}` },
      ],
    }),
  })

const mostNamed = 5

const someOf = (stores: ReadonlyArray<string>): string => {
  const named = stores.slice(0, mostNamed).join(', ')
  return stores.length > mostNamed ? `${named} and ${stores.length - mostNamed} more` : named
}
