import { type Field, type Filter, type ModelName, registry } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { fieldOf, sqlType } from '../tables/columns.ts'
import {
  isIndexed,
  type ListColumn,
  listColumn,
  listFrom,
  mainRelation,
  type Relation,
  serverName,
} from './list-columns.ts'

/** A model as one query reads it: in main, or in a branch, where other rows replace some of main's. */
export interface ListView {
  readonly model: ModelName
  readonly main: Relation
  /** Which rows of main are not read there. */
  readonly replaced: ReadonlyArray<Replaced>
  /** Rows that replace them, and further ones. No row is in two of these relations. */
  readonly others: ReadonlyArray<Relation>
}

/** Some rows of main that are not read there, as two queries: one checks a given row, the other finds the rows. */
export interface Replaced {
  /** A query, correlated to `t`, that finds something for each of them. */
  readonly matches: RawBuilder<unknown>
  /** A query of their `id`s, and of more that main need not have. */
  readonly ids: RawBuilder<unknown>
}

/** A model in main. */
export const mainListView = (model: ModelName): ListView => ({
  model,
  main: mainRelation(model),
  replaced: [],
  others: [],
})

/** A condition of a list, with the columns it reads. */
export interface Condition {
  readonly where: RawBuilder<unknown>
  readonly columns: ReadonlyArray<ListColumn>
}

/** The part of a view to read. */
interface ListQuestion {
  readonly conditions?: ReadonlyArray<Condition>
  /** The columns to read in addition to those of the conditions. */
  readonly columns?: ReadonlyArray<ListColumn>
  /** Only the rows whose `id` is in `page`, a small relation of the query's own: they are looked up one by one. */
  readonly onPage?: boolean
  /**
   * All of main's rows that meet the conditions are read, as to count or sort them. Not given: only
   * those that a page needs.
   */
  readonly all?: boolean
}

/** `from … where …` of the rows of each part of a view that meet the conditions; first that of main. */
export function partsOf(view: ListView, question: ListQuestion): ReadonlyArray<RawBuilder<unknown>> {
  // For few rows each is looked up by itself; for many, the replaced ones are read once and hashed.
  const many = question.all === true && !(question.conditions ?? []).some(({ columns }) => columns.some(isIndexed))
  const kept = view.replaced.map(({ matches, ids }) =>
    many ? sql`t.id not in (${ids})` : sql`not exists (${matches})`,
  )
  return [
    fromWhere(view.model, view.main, question, kept),
    ...view.others.map((relation) => fromWhere(view.model, relation, question, [])),
  ]
}

/** How many rows of a view meet the conditions. */
export function countOf(view: ListView, conditions: ReadonlyArray<Condition>): RawBuilder<{ readonly count: number }> {
  const counts = partsOf(view, { conditions, all: true }).map((part) => sql`(select count(*) ${part})`)
  return sql`select (${sql.join(counts, sql` + `)})::bigint as count`
}

function fromWhere(
  model: ModelName,
  relation: Relation,
  { conditions = [], columns = [], onPage = false }: ListQuestion,
  more: ReadonlyArray<RawBuilder<unknown>>,
): RawBuilder<unknown> {
  const read = [...conditions.flatMap((condition) => condition.columns), ...columns]
  const all = [...conditions.map((condition) => condition.where), ...relation.seen, ...more]
  const rows = onPage
    ? sql`page cross join lateral (select * from ${relation.rows} where t.id = page.id offset 0) t`
    : relation.rows
  return sql`${listFrom(model, read, { ...relation, rows })} ${where(all)}`
}

/** Conditions that all hold, as a `where`; none: nothing. */
export const where = (conditions: ReadonlyArray<RawBuilder<unknown>>): RawBuilder<unknown> =>
  conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`

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

const extraTypes: Readonly<Record<string, string>> = {
  id: 'bigint',
  created: 'timestamptz',
  last_updated: 'timestamptz',
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
