import { keyPart } from '../key.ts'
import type { ModelName } from '../registry/field.ts'
import { registry } from '../registry/registry.ts'

type Row = Readonly<Record<string, unknown>>

/**
 * Rows of one model by their natural key, without a text for each key: the rows of a list share all but the end of their keys, so a row is found by that end
 * among those that share its beginning. A key set twice keeps the last row.
 */
export class KeyedRows<A extends Row> {
  readonly #lists = new Map<string, Map<unknown, A>>()
  readonly #end: string
  /** The list that was used last, and the beginning that its rows share. */
  #list: Map<unknown, A> | null = null
  readonly #beginning: ReadonlyArray<{ readonly field: string; value: unknown }>

  constructor(model: ModelName) {
    const fields: ReadonlyArray<string> = registry[model].key
    this.#end = fields.at(-1) ?? ''
    this.#beginning = fields.slice(0, -1).map((field) => ({ field, value: undefined }))
  }

  set(row: A): void {
    this.#listOf(row).set(row[this.#end], row)
  }

  /** Takes out the row that has the same key as this one. */
  take(like: Row): A | undefined {
    const list = this.#listOf(like)
    const end = like[this.#end]
    const row = list.get(end)
    if (row !== undefined) list.delete(end)
    return row
  }

  /** The rows that were not taken out. */
  *left(): Generator<A> {
    for (const list of this.#lists.values()) yield* list.values()
  }

  #listOf(row: Row): Map<unknown, A> {
    if (this.#list !== null && this.#begins(row)) return this.#list
    let text = ''
    for (const part of this.#beginning) {
      part.value = row[part.field]
      text += `${keyPart(part.value)},`
    }
    this.#list = this.#lists.get(text) ?? new Map<unknown, A>()
    this.#lists.set(text, this.#list)
    return this.#list
  }

  #begins(row: Row): boolean {
    for (const part of this.#beginning) if (row[part.field] !== part.value) return false
    return true
  }
}
