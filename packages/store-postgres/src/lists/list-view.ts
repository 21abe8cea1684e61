import type { ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { isIndexed, type ListColumn, listFrom, mainRelation, type Relation } from './list-columns.ts'
import { type Condition, where } from './list-filter.ts'

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

/** The part of a view to read. */
export interface ListQuestion {
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
