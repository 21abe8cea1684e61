import type { ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { type ListColumn, listFrom } from './list-columns.ts'
import { type Condition, where } from './list-filter.ts'
import { mainRelation, type Relation } from './relation.ts'

/** A model as one query reads it: in main, or in a branch, which is main but for some rows, and others in their place. */
export interface View {
  readonly model: ModelName
  readonly main: Relation
  /** Queries, correlated to `t`, that find something for the rows of main that are not read there. */
  readonly replaced: ReadonlyArray<RawBuilder<unknown>>
  /** What is read in their place, and beside them. No row is in two of them. */
  readonly others: ReadonlyArray<Relation>
}

/** A model in main. */
export const mainView = (model: ModelName): View => ({ model, main: mainRelation(model), replaced: [], others: [] })

/** What is read of a view. */
export interface Reading {
  readonly conditions?: ReadonlyArray<Condition>
  /** The columns read beside those of the conditions. */
  readonly columns?: ReadonlyArray<ListColumn>
  /** A join of more than the view has. */
  readonly beside?: RawBuilder<unknown>
}

/** `from … where …` of the rows of each part of a view that meet the conditions; first that of main. */
export function partsOf(view: View, reading: Reading): ReadonlyArray<RawBuilder<unknown>> {
  const kept = view.replaced.map((matches) => sql`not exists (${matches})`)
  return [
    fromWhere(view.model, view.main, reading, kept),
    ...view.others.map((relation) => fromWhere(view.model, relation, reading, [])),
  ]
}

/**
 * How many rows of a view meet the conditions: of main's those that do, less the ones that are replaced, and those in their place. Main is read through once, as it would be
 * without a branch.
 */
export function countOf(view: View, conditions: ReadonlyArray<Condition>): RawBuilder<{ readonly count: number }> {
  const { model, main, replaced, others } = view
  const rows = (relation: Relation, more: ReadonlyArray<RawBuilder<unknown>> = []) =>
    sql`(select count(*) ${fromWhere(model, relation, { conditions }, more)})`
  const less = replaced.map((matches, nth) => {
    const before = replaced.slice(0, nth).map((other) => sql`not exists (${other})`)
    return sql` - ${rows(main, [sql`exists (${matches})`, ...before])}`
  })
  const more = others.map((relation) => sql` + ${rows(relation)}`)
  return sql`select (${rows(main)}${sql.join([...less, ...more], sql``)})::bigint as count`
}

function fromWhere(
  model: ModelName,
  relation: Relation,
  { conditions = [], columns = [], beside = sql`` }: Reading,
  more: ReadonlyArray<RawBuilder<unknown>>,
): RawBuilder<unknown> {
  const read = [...conditions.flatMap((condition) => condition.columns), ...columns]
  const all = [...conditions.map((condition) => condition.where), ...relation.seen, ...more]
  return sql`${listFrom(model, read, relation)}${beside} ${where(all)}`
}
