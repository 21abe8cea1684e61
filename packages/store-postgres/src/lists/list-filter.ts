import { type Field, type Filter, type ModelName, registry } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { fieldOf, sqlType } from '../tables/columns.ts'
import { type ListColumn, listColumn, serverName } from './list-columns.ts'

/** A condition of a list, with the columns it reads. */
export interface Condition {
  readonly where: RawBuilder<unknown>
  readonly columns: ReadonlyArray<ListColumn>
}

/** Conditions that all hold, as a `where`; none: nothing. */
export const where = (conditions: ReadonlyArray<RawBuilder<unknown>>): RawBuilder<unknown> =>
  conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`

const extraTypes: Readonly<Record<string, string>> = {
  id: 'bigint',
  created: 'timestamptz',
  last_updated: 'timestamptz',
}

/**
 * The condition of one filter: any of its values. A value that no row can have, and a field the
 * model lacks, match nothing.
 */
export function filterCondition(model: ModelName, { field: name, lookup, values }: Filter): Condition {
  const column = listColumn(model, name)
  if (lookup === 'empty' && column !== undefined) return emptyCondition(column, values.includes(true))
  const field = fieldOf(model, name)
  const type = field === undefined ? extraTypes[name] : sqlType(field)
  if (column === undefined || type === undefined) return { where: sql`false`, columns: [] }
  const given = values.filter((value) => value !== null && possible(type, value))
  const listed =
    type === 'jsonb'
      ? sql`${column.value} = any(${given.map((value) => JSON.stringify(value))}::text[]::jsonb[])`
      : sql`${column.value} = any(${given}::${sql.raw(type)}[])`
  const alternatives = [
    ...(given.length > 0 ? [listed] : []),
    ...(values.includes(null) ? [sql`${column.value} is null`] : []),
    ...(given.includes('unknown') ? otherThanChoices(field, column) : []),
  ]
  return {
    where: alternatives.length === 0 ? sql`false` : sql`(${sql.join(alternatives, sql` or `)})`,
    columns: [column],
  }
}

function emptyCondition(column: ListColumn, empty: boolean): Condition {
  return { where: sql`${column.value} is ${sql.raw(empty ? '' : 'not ')}null`, columns: [column] }
}

/** A text that is none of a field's choices reads as `unknown`, and so is found under it. */
function otherThanChoices(field: Field | undefined, { value }: ListColumn): ReadonlyArray<RawBuilder<unknown>> {
  if (field?.type !== 'choice' || !field.choices.some((choice) => choice.value === 'unknown')) return []
  return [sql`${value} <> all(${field.choices.map((choice) => choice.value)}::text[])`]
}

/** Whether PostgreSQL can read the value as the type at all. */
function possible(type: string, value: string | number | boolean): boolean {
  if (type === 'bigint') return Number.isSafeInteger(value)
  if (type === 'boolean') return typeof value === 'boolean'
  if (type === 'timestamptz')
    return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(value)
  return type === 'jsonb' || (typeof value === 'string' && !value.includes('\0') && value.isWellFormed())
}

/**
 * Free text: any of the model's search columns contains it, without regard to case. `folding` is a
 * collation that knows the case of all letters; that of the columns (code points) does not.
 */
export function searchCondition(model: ModelName, text: string, folding: string | null): Condition {
  // No column can hold a text that PostgreSQL cannot store.
  if (text.includes('\0') || !text.isWellFormed()) return { where: sql`false`, columns: [] }
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
  const collate: RawBuilder<unknown> = sql.raw(folding === null ? '' : ` collate "${folding}"`)
  const columns = registry[model].search.flatMap((name) => {
    const column = name === 'server.name' ? serverName(model) : listColumn(model, name)
    return column === undefined ? [] : [column]
  })
  const contains = columns.map(({ value }) => sql`${value}${collate} ilike ${pattern}`)
  return { where: sql`(${sql.join(contains, sql` or `)})`, columns }
}
