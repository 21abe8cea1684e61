/** Something an operator should know about the rows of a scope; becomes a `warning` frame. */
export interface Note {
  /** `unknown_value`, `integer_out_of_range`, `privileges_missing`, `facts_hidden` or `state_unavailable`. */
  readonly code: string
  readonly message: string
}

/** How many notes of one code a scope passes on; the rest is only counted. */
const maxPerCode = 20

/** Passes on the first notes of each code and counts the rest. */
export class NoteLimit {
  readonly #counts = new Map<string, number>()

  /** Whether the note is still to be passed on. */
  admit({ code }: Note): boolean {
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    return count <= maxPerCode
  }

  /** What was not passed on, one note a code. */
  rest(): ReadonlyArray<Note> {
    return [...this.#counts]
      .filter(([, count]) => count > maxPerCode)
      .map(([code, count]) => ({ code, message: `and ${count - maxPerCode} more of the kind ${code}` }))
  }
}

/** A note for each integer of a row that JavaScript cannot hold exactly; `row` names it: `datastore tank`. */
export const unsafeIntegerNotes = (
  row: string,
  { unsafeIntegers }: { readonly unsafeIntegers: ReadonlyArray<string> },
): ReadonlyArray<Note> =>
  unsafeIntegers.map((field) => ({
    code: 'integer_out_of_range',
    message: `${field} of ${row} is beyond 2^53-1 and is left out`,
  }))
