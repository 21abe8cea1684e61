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

/** The note of a row or group that exists and cannot be read: the scope goes on without it and is not whole. */
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
    message: `${field} of ${row} is not what PBS says there, and counts as unknown`,
  })),
]
