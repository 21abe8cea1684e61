import type { ModelName } from '../registry/field.ts'

/**
 * How a row's value is compared with those of a filter, under the names that REST gives them.
 *
 * - `exact`: equal.
 * - `lt`, `lte`, `gt`, `gte`: less, less or equal, greater, greater or equal; of integers and datetimes.
 * - `ie`, `ic`, `isw`, `iew`: equals, contains, starts or ends with, in any case; of text.
 * - `regex`, `iregex`: matches a regular expression of PostgreSQL, the second in any case; of text.
 * - `empty`: whether the row has no value (true) or has one (false); blank text is no value.
 */
export type Lookup = 'exact' | 'lt' | 'lte' | 'gt' | 'gte' | 'ie' | 'ic' | 'isw' | 'iew' | 'regex' | 'iregex' | 'empty'

/** A custom field in a filter: its key, and how its values are compared. */
export interface CustomComparison {
  readonly key: string
  /** `members`: a list, of which a value is one. */
  readonly as: 'text' | 'number' | 'datetime' | 'boolean' | 'members'
}

/** One condition. Several values of one filter are alternatives; several filters all hold. */
export interface Filter {
  /**
   * A column of the model, or `id`, `created`, `last_updated`; or one of `requestFilters`, whose values
   * are UUIDs of requests; or `tags`, whose values are ids, or `custom_fields`.
   */
  readonly field: string
  /** Of `custom_fields`: which of them. */
  readonly custom?: CustomComparison
  readonly lookup: Lookup
  /** The rows that meet none of the values; a row without a value is one of them. */
  readonly negated?: boolean
  /**
   * In the column's own type; datetimes RFC 3339. Null matches a row without a value; no value at
   * all matches no row.
   */
  readonly values: ReadonlyArray<string | number | boolean | null>
}

/** Filters of every list by the request that created or changed a row, and the actions of the change log they look for. */
export const requestFilters = {
  created_by_request: ['create'],
  updated_by_request: ['update'],
  modified_by_request: ['create', 'update'],
} as const

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

/**
 * What is asked of a list of records that are no inventory. The order without terms is the list's own;
 * id is always the last key.
 */
export interface RecordQuery {
  readonly where?: ReadonlyArray<Filter>
  readonly order?: ReadonlyArray<OrderTerm>
}

/**
 * Where a page of records begins in the order of their ids: `from` this id on, whatever the list's own
 * order; or `after` it in a list whose own order is that of ids, null being the first page.
 */
export type RecordCursor =
  | { readonly at: 'from'; readonly id: number }
  | { readonly at: 'after'; readonly id: number | null }

/** Which records of a list. With a cursor they are not counted. */
export interface RecordPage {
  readonly limit: number
  readonly offset: number
  readonly cursor?: RecordCursor
}

/** The errors of each parameter or field, by its name, in NetBox's words. */
export type FieldErrors = Readonly<Record<string, ReadonlyArray<string>>>
