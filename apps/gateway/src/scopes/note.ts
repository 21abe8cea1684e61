import { isReadable, type ListRow, UnreadableRow } from '@netbox-pbs/pbs-client'
import { Effect } from 'effect'
import { storable } from './facts.ts'
import type { ScopeFailed } from './scope-failed.ts'

/** Something that an operator should know about the rows of a scope; becomes a `warning` frame. */
export interface Note {
  /**
   * `unknown_value`, `integer_out_of_range`, `field_unreadable`, `manifest_unreadable`, `row_unreadable`,
   * `privileges_missing`, `facts_hidden` or `state_unavailable`.
   */
  readonly code: string
  readonly message: string
  /** How many rows or groups of the scope exist but could not be read and are not listed. */
  readonly leftOut?: number
}

/** The most notes of one code that a scope passes on; the rest is only counted. */
const maxPerCode = 20

/** Passes on the first notes of each code and counts the rest. */
export class NoteLimit {
  readonly #counts = new Map<string, number>()

  /** Whether the note is passed on. */
  admit({ code }: Note): boolean {
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    return count <= maxPerCode
  }

  /** One note for each code of which some were not passed on. */
  rest(): ReadonlyArray<Note> {
    return [...this.#counts]
      .filter(([, count]) => count > maxPerCode)
      .map(([code, count]) => ({ code, message: `and ${count - maxPerCode} more of the kind ${code}` }))
  }
}

/** The note of a row or group that exists and cannot be read: the scope goes on without it and is incomplete. */
export const leftOut = (row: string, why: string): Note => ({
  code: 'row_unreadable',
  message: `${row} cannot be read and is left out: ${why}`,
  leftOut: 1,
})

/** A note for each field of a row that could not be read; `row` names it: `datastore tank`. */
export const fieldNotes = (
  row: string,
  {
    unsafeIntegers,
    oddFields = [],
  }: { readonly unsafeIntegers: ReadonlyArray<string>; readonly oddFields?: ReadonlyArray<string> },
): ReadonlyArray<Note> => [
  ...unsafeIntegers.map((field) => ({
    code: 'integer_out_of_range',
    message: `${field} of ${row} is beyond 2^53-1 and is left out`,
  })),
  ...oddFields.map((field) => ({
    code: 'field_unreadable',
    message: `${field} of ${row} has a value that PBS does not use there, and counts as unknown`,
  })),
]

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
  message: `${nameOf(kind, row)} cannot be read, its facts count as unknown: ${reasonOf(row)}`,
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
interface ObservedRows<A> {
  readonly rows: ReadonlyArray<A>
  /** Why the list could not be read; null: it was. */
  readonly failure: ScopeFailed | null
  /** Notes of unknown facts, for the stores of these names. */
  readonly notes: (stores: ReadonlyArray<string>) => ReadonlyArray<Note>
}

/**
 * Reads a list that holds observations only; `fate` says how its failure is recorded, which never
 * fails the facts. PBS fails the whole list for one broken store (a statfs, a state file), or hangs
 * with the disk of that store.
 */
export const observedOnly = <A>(
  what: string,
  read: Effect.Effect<ReadonlyArray<ListRow<A>>, ScopeFailed>,
  fate?: string,
): Effect.Effect<ObservedRows<A>> =>
  Effect.match(read, {
    onSuccess: (list) => {
      const { rows, unreadable } = readableRows(what, list)
      return { rows, failure: null, notes: () => unreadable.map((row) => additionNote(what, row)) }
    },
    onFailure: (failure) => ({
      rows: [],
      failure,
      notes: (stores) => (stores.length === 0 ? [] : [unknownOf(what, stores, failure, fate)]),
    }),
  })

/** The note of unreadable facts of some stores. */
export const unknownOf = (
  what: string,
  stores: ReadonlyArray<string>,
  { message }: ScopeFailed,
  fate = 'is unknown',
): Note => ({
  code: 'state_unavailable',
  message: `${what} of ${someOf(stores)} ${fate}: ${message}`,
})

const mostNamed = 5

const someOf = (stores: ReadonlyArray<string>): string => {
  const named = stores.slice(0, mostNamed).join(', ')
  return stores.length > mostNamed ? `${named} and ${stores.length - mostNamed} more` : named
}
