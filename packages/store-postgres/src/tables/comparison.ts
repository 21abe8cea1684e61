import type { Filter, Lookup } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'

/** A value that a filter compares. */
interface Compared {
  readonly value: RawBuilder<unknown>
  /** Its type in SQL. */
  readonly type: string
  /** The choices of a choice: any other text reads as `unknown`, and so is found under it. */
  readonly choices?: ReadonlyArray<string>
}

const caseless: ReadonlySet<Lookup> = new Set(['ie', 'ic', 'isw', 'iew', 'regex', 'iregex'])

/** Whether a filter compares letters in any case, or by their class. */
export const needsFolding = ({ lookup }: Pick<Filter, 'lookup'>): boolean => caseless.has(lookup)

/**
 * Whether a value meets a filter: any of the filter's values, or, negated, none of them. A value that
 * the type does not have meets nothing. `folding` is a collation that knows the case of all letters;
 * that of the columns (code points) does not.
 */
export function comparison(
  compared: Compared,
  { lookup, negated = false, values }: Pick<Filter, 'lookup' | 'negated' | 'values'>,
  folding: string | null,
): RawBuilder<unknown> {
  const met = meets(compared, lookup, values, folding)
  // Neither true nor false of a row without a value, which is then one of the others.
  return negated ? sql`(${met}) is not true` : met
}

function meets(
  { value, type, choices }: Compared,
  lookup: Lookup,
  values: Filter['values'],
  folding: string | null,
): RawBuilder<unknown> {
  if (lookup === 'empty') return emptiness(value, type, values.includes(true))
  const given = values.filter((one) => one !== null && possible(type, one))
  const alternatives = [
    ...(given.length > 0 ? [comparedWith(value, { lookup, type, given, folding })] : []),
    ...(values.includes(null) ? [sql`${value} is null`] : []),
    ...(lookup === 'exact' && choices?.includes('unknown') && given.includes('unknown')
      ? [sql`${value} <> all(${choices}::text[])`]
      : []),
  ]
  return alternatives.length === 0 ? sql`false` : sql`(${sql.join(alternatives, sql` or `)})`
}

interface Question {
  readonly lookup: Exclude<Lookup, 'empty'>
  readonly type: string
  readonly given: Filter['values']
  readonly folding: string | null
}

const bounds = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const

function comparedWith(value: RawBuilder<unknown>, { lookup, type, given, folding }: Question): RawBuilder<unknown> {
  const among = (operator: string, list: ReadonlyArray<unknown>, cast: string) => {
    const [first] = list
    const one = sql`${sql.raw(operator)} ${first}::${sql.raw(cast)}`
    return list.length === 1 ? one : sql`${sql.raw(operator)} any(${list}::${sql.raw(cast)}[])`
  }
  switch (lookup) {
    case 'exact':
      return type === 'jsonb'
        ? sql`${value} = any(${given.map((one) => JSON.stringify(one))}::text[]::jsonb[])`
        : sql`${value} = any(${given}::${sql.raw(type)}[])`
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return sql`${value} ${among(bounds[lookup], given, type)}`
    default: {
      // Only text has letters and patterns.
      if (type !== 'text') return sql`false`
      const folded = inAnyCase(value, folding)
      if (lookup === 'regex') return sql`${folded} ${among('~', given, type)}`
      if (lookup === 'iregex') return sql`${folded} ${among('~*', given, type)}`
      return sql`${folded} ${among(
        'ilike',
        given.map((text) => patternOf(lookup, String(text))),
        type,
      )}`
    }
  }
}

/** Text under a collation in which letters have a case, for `ilike` and regular expressions. */
export const inAnyCase = (value: RawBuilder<unknown>, folding: string | null): RawBuilder<unknown> =>
  sql`${value}${sql.raw(folding === null ? '' : ` collate "${folding}"`)}`

/** The pattern for `ilike` of a text in which no character is special. */
export function patternOf(lookup: 'ie' | 'ic' | 'isw' | 'iew', text: string): string {
  const literal = text.replaceAll(/[\\%_]/g, '\\$&')
  const before = lookup === 'ic' || lookup === 'iew' ? '%' : ''
  const after = lookup === 'ic' || lookup === 'isw' ? '%' : ''
  return `${before}${literal}${after}`
}

/** Blank text is no value. */
function emptiness(value: RawBuilder<unknown>, type: string, empty: boolean): RawBuilder<unknown> {
  if (type === 'text') return empty ? sql`coalesce(${value}, '') = ''` : sql`${value} <> ''`
  return sql`${value} is ${sql.raw(empty ? '' : 'not ')}null`
}

/** Whether PostgreSQL can read the value as the type at all. */
function possible(type: string, value: string | number | boolean): boolean {
  if (type === 'bigint') return Number.isSafeInteger(value)
  if (type === 'numeric') return typeof value === 'number' && Number.isFinite(value)
  if (type === 'boolean') return typeof value === 'boolean'
  if (type === 'timestamptz')
    return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(value)
  if (type === 'uuid') return typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
  return type === 'jsonb' || (typeof value === 'string' && !value.includes('\0') && value.isWellFormed())
}
