/**
 * The role of a column in the system. Every column has exactly one class; diff, guard,
 * merge, API and pages read it here.
 *
 * - `key`: identity. Stores the source's own text.
 * - `immutable`: a fact that cannot change once the object is finished; a change is applied with a
 *   warning.
 * - `source`: a fact of the source; a user's edit is restored by the next complete run.
 * - `operator`: owned by people; sync has no write path to it.
 * - `observation`: a measurement; never in a diff, the newest wins.
 * - `derived`: recomputed from other rows; read-only.
 */
export type FieldClass = 'key' | 'immutable' | 'source' | 'operator' | 'observation' | 'derived'

/** The names of the inventory models. */
export type ModelName = 'server' | 'datastore' | 'namespace' | 'group' | 'snapshot' | 'job' | 'task'

/** A value a choice field may hold, with the words shown for it. */
export interface Choice {
  readonly value: string
  readonly label: string
  /** Tabler colour of the badge. */
  readonly color: string
}

interface FieldBase {
  readonly class: FieldClass
  /** Sentence case, as NetBox shows it and as its uniqueness errors name it. */
  readonly label: string
  /** REST refuses a create without it. */
  readonly required?: true
  /** Null is a value of the column. Text is never null: blank is the empty string. */
  readonly nullable?: true
  /** REST reads it and ignores it on write. */
  readonly readOnly?: true
  /** Kept out of REST and pages. */
  readonly internal?: true
  /**
   * Of an immutable field: a change is only suspicious when this other field changed too.
   * PBS counts `index.json.blob` into a snapshot's size and rewrites it when notes or verification change.
   */
  readonly witness?: string
}

/** Text of at most `max` characters as REST accepts it; longer text of a source is kept whole. */
export interface TextField extends FieldBase {
  readonly type: 'text'
  readonly max: number
  /**
   * The format of the text; REST rejects other text, and takes blank as no value. `cron` is in UTC.
   */
  readonly format?: 'cron' | 'hours'
  readonly default?: string
}
/** A whole number within 2^53-1. */
export interface IntegerField extends FieldBase {
  readonly type: 'integer'
  readonly min: number
  readonly max: number
  readonly default?: number
  /** How pages show it. */
  readonly unit?: 'bytes' | 'seconds'
}
export interface BooleanField extends FieldBase {
  readonly type: 'boolean'
  readonly default?: boolean
}
/** RFC 3339 in UTC with `Z`, microseconds only when not zero: `2026-05-01T02:00:00Z`. */
export interface DatetimeField extends FieldBase {
  readonly type: 'datetime'
}
export interface ChoiceField extends FieldBase {
  readonly type: 'choice'
  readonly choices: ReadonlyArray<Choice>
  readonly default?: string
}
/** The id of a row of another model. */
export interface ReferenceField extends FieldBase {
  readonly type: 'reference'
  readonly model: ModelName
}
/** Any JSON value. */
export interface JsonField extends FieldBase {
  readonly type: 'json'
  readonly default?: unknown
  /** How a merge reads it: a list as a set of members, an object as a map of keys. Else the value is one whole. */
  readonly merge?: 'set' | 'map'
}

/** One column of a model. */
export type Field = TextField | IntegerField | BooleanField | DatetimeField | ChoiceField | ReferenceField | JsonField

/** The columns of a model, in the order REST serves them. */
export type Fields = Readonly<Record<string, Field>>

/** The value of a field whose schema is not known statically. */
export type FieldValue = string | number | boolean | null | JsonValue

/** Plain JSON. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | ReadonlyArray<JsonValue>
  | { readonly [key: string]: JsonValue }

/** A model: its names, columns, and the columns that identify a row. */
export interface Model {
  readonly name: ModelName
  /** Path segment in REST and pages. */
  readonly path: string
  readonly label: string
  readonly labelPlural: string
  readonly fields: Fields
  /** The natural key, in the order of the unique constraint. */
  readonly key: ReadonlyArray<string>
  /** The fields that identify a row in brief form, besides id, url and display. */
  readonly brief: ReadonlyArray<string>
  /** The order without `ordering`; `-` is descending; id is always the last key. */
  readonly order: ReadonlyArray<string>
  /** Where `q` looks: columns, or `server.name`. */
  readonly search: ReadonlyArray<string>
  /** The columns of a list page. The first one that is neither a choice nor a reference links to the row. */
  readonly columns: ReadonlyArray<string>
  /** Rows may be created over REST. */
  readonly writable: boolean
  /** NetBox's own name of the model, for change logs, tags and custom fields. */
  readonly objectType: string
}

/** Fields of every model in addition to its own columns: tags and other words of the operator. */
export const everyModelFields = {
  tags: { class: 'operator', type: 'json', default: [], label: 'Tags', merge: 'set' },
  custom_fields: { class: 'operator', type: 'json', default: {}, label: 'Custom fields', merge: 'map' },
} as const satisfies Fields

/** A byte count that may be unknown: whole, not negative, within 2^53-1. */
export const bytes = { type: 'integer', min: 0, max: Number.MAX_SAFE_INTEGER, nullable: true, unit: 'bytes' } as const

/** A count kept by the system itself. */
export const count = {
  class: 'derived',
  type: 'integer',
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
  default: 0,
  readOnly: true,
} as const

/** Whether two values are the same fact: scalars by identity, lists in order, maps in any order of keys. */
export function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!sameValue(a[i], b[i])) return false
    return true
  }
  const left: Readonly<Record<string, FieldValue>> = a as Readonly<Record<string, FieldValue>> // border: Array.isArray does not narrow readonly arrays away
  const right: Readonly<Record<string, FieldValue>> = b as Readonly<Record<string, FieldValue>>
  let keys = 0
  for (const key in left) {
    const value = left[key] ?? null
    const other = right[key] ?? null
    if (value !== other && !sameValue(value, other)) return false
    if (other === null && !(key in right)) return false
    keys++
  }
  for (const _ in right) keys--
  return keys === 0
}
