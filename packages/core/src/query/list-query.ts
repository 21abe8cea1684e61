import type { ModelName } from '../registry/field.ts'

/** One condition. Several values of one filter are alternatives; several filters all hold. */
export interface Filter {
  /** A column of the model, or `id`, `created`, `last_updated`. */
  readonly field: string
  /** How values are compared. `empty`: whether the row has no value; of integers and datetimes. */
  readonly lookup: 'exact' | 'empty'
  /**
   * In the column's own type; datetimes RFC 3339. Null matches a row without a value; no value at
   * all matches no row.
   */
  readonly values: ReadonlyArray<string | number | boolean | null>
}

/** A sort key. `server` sorts by the server's name. */
export interface OrderTerm {
  readonly field: string
  readonly descending: boolean
}

/** Which rows of the list: by offset with a count, or by id from a cursor without one. */
export type PageRequest =
  | { readonly _tag: 'offset'; readonly limit: number; readonly offset: number }
  | { readonly _tag: 'cursor'; readonly limit: number; readonly start: number }

/** A list as a caller asks for it, checked against the registry. */
export interface ListQuery<M extends ModelName = ModelName> {
  readonly model: M
  readonly filters: ReadonlyArray<Filter>
  /** Free text; null: none. Contains, ignoring case, over the model's search columns. */
  readonly search: string | null
  /**
   * Without terms the model's own order; id is always the last key. Nulls sort last ascending,
   * first descending.
   */
  readonly order: ReadonlyArray<OrderTerm>
  readonly page: PageRequest
}

/** The errors of each parameter or field, by its name, in NetBox's words. */
export type FieldErrors = Readonly<Record<string, ReadonlyArray<string>>>
