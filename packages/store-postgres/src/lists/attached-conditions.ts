import type { CustomComparison, Filter } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { comparison } from '../tables/comparison.ts'

/**
 * Whether a row has one of some tags, or, negated, none of them. The first condition is that of the
 * partial index. Null stands for a row without tags; a tag that was deleted is none.
 */
export function tagCondition(tags: RawBuilder<unknown>, { values, negated = false }: Filter): RawBuilder<unknown> {
  const ids = values.filter((value) => typeof value === 'number')
  const has = ids.map((id) => sql`${tags} @> ${JSON.stringify([id])}::text::jsonb`)
  const untagged = sql`not exists (select from tags g where g.removed is null and ${tags} <> '[]' and ${tags} @> jsonb_build_array(g.id))`
  const alternatives = [
    ...(has.length === 0 ? [] : [sql`(${tags} <> '[]' and (${sql.join(has, sql` or `)}))`]),
    ...(values.includes(null) ? [untagged] : []),
  ]
  const met = alternatives.length === 0 ? sql`false` : sql`(${sql.join(alternatives, sql` or `)})`
  return negated ? sql`not ${met}` : met
}

/** The types in SQL of the values of custom fields, as text of JSON is read in them. */
const types = { text: 'text', number: 'numeric', datetime: 'timestamptz', boolean: 'boolean' } as const

/**
 * Whether the custom field of a row meets a filter. A key that the row lacks, null and blank text are
 * all no value, and no value is less than any, as NetBox's comparison of JSON has it.
 */
export function customCondition(
  fields: RawBuilder<unknown>,
  filter: Filter & { readonly custom: CustomComparison },
  folding: string | null,
): RawBuilder<unknown> {
  const { custom, lookup, negated = false, values } = filter
  const { key, as } = custom
  const stored = sql`nullif(${fields} -> ${key}::text, 'null')`
  if (lookup === 'empty') {
    const empty = sql`(${stored} is null or ${stored} in ('""', '[]'))`
    return values.includes(true) ? empty : sql`not ${empty}`
  }
  const isWhole = lookup === 'exact' && !values.includes(null)
  if (as === 'members' || (isWhole && as !== 'datetime')) {
    const given = values.map((value) => ({ [key]: as === 'members' ? [value] : value }))
    const has = given.map((one) => sql`${fields} @> ${JSON.stringify(one)}::text::jsonb`)
    const met = has.length === 0 ? sql`false` : sql`(${fields} <> '{}' and (${sql.join(has, sql` or `)}))`
    return negated ? sql`not ${met}` : met
  }
  const value = sql`(${fields} ->> ${key}::text)${sql.raw(as === 'text' ? ' collate "C"' : `::${types[as]}`)}`
  const met = comparison({ value, type: types[as] }, filter, folding)
  if (lookup === 'lt' || lookup === 'lte') return sql`(${stored} is null or ${met})`
  if (negated || values.includes(null)) return met
  // Only rows with values can meet it: they are found by the index of such rows.
  return sql`(${fields} <> '{}' and ${met})`
}
