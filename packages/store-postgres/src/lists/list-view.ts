import { type Filter, type ModelName, registry, requestFilters } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { fieldOf, sqlType } from '../tables/columns.ts'
import { comparison, inAnyCase, patternOf } from '../tables/comparison.ts'
import { customCondition, tagCondition } from './attached-conditions.ts'
import {
  isIndexed,
  type ListColumn,
  listColumn,
  listFrom,
  mainRelation,
  type Relation,
  serverName,
} from './list-columns.ts'
import { mayBeIn } from './protection-columns.ts'

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
  /** An index finds the rows that meet it, which are few. */
  readonly few?: boolean
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
  const many = question.all === true && !(question.conditions ?? []).some(({ few }) => few)
  const kept = view.replaced.map(({ matches, ids }) =>
    many ? sql`t.id not in (${ids})` : sql`not exists (${matches})`,
  )
  return [
    fromWhere(view.model, view.main, question, kept),
    ...view.others.map((relation) => fromWhere(view.model, relation, question, [])),
  ]
}

/**
 * By which a view differs from main, of the rows that meet the conditions: `n` is 1 for a row that
 * main does not have so, -1 for one that only main has so. Null: it is main.
 */
export function differencesOf(
  view: ListView,
  conditions: ReadonlyArray<Condition>,
  columns: RawBuilder<unknown>,
): RawBuilder<unknown> | null {
  const others = view.others.map(
    (relation) => sql`select ${columns}, 1::bigint as n ${fromWhere(view.model, relation, { conditions }, [])}`,
  )
  const ids = view.replaced.map((replaced) => replaced.ids)
  const replaced =
    ids.length === 0
      ? []
      : [
          sql`select ${columns}, -1::bigint as n ${fromWhere(view.model, view.main, { conditions }, [
            sql`t.id in (${sql.join(ids, sql` union `)})`,
          ])}`,
        ]
  const all = [...others, ...replaced]
  return all.length === 0 ? null : sql.join(all, sql` union all `)
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
 * The condition of one filter. A field that the model lacks matches nothing. `folding`, where the
 * filter needs it, is as `comparison` has it.
 */
export function filterCondition(model: ModelName, filter: Filter, folding: string | null = null): Condition {
  if (isRequestFilter(filter.field)) return requestCondition(model, requestFilters[filter.field], filter.values)
  const { field: name, custom } = filter
  if (name === 'tags')
    return { where: tagCondition(sql`t.tags`, filter), columns: [attached(name)], few: namesValues(filter) }
  if (custom !== undefined)
    return { where: customCondition(sql`t.custom_fields`, { ...filter, custom }, folding), columns: [attached(name)] }
  const column = listColumn(model, filter.field)
  const field = fieldOf(model, filter.field)
  const type = field === undefined ? extraTypes[filter.field] : sqlType(field)
  if (column === undefined || type === undefined) return { where: sql`false`, columns: [] }
  const choices = field?.type === 'choice' ? { choices: field.choices.map((choice) => choice.value) } : {}
  const met = comparison({ value: column.value, type, ...choices }, filter, folding)
  const indexed =
    model === 'group' && field === registry.group.fields.protection && namesValues(filter)
      ? mayBeIn(filter.values)
      : null
  return {
    where: indexed === null ? met : sql`${indexed} and ${met}`,
    columns: [column],
    few: isIndexed(column) && namesValues(filter),
  }
}

/** A column of what people attach to every row. */
const attached = (name: string): ListColumn => ({ value: sql.ref(`t.${name}`), needs: [], reads: [name] })

/** Whether a filter names the values that a row may have: any other one has to look at each row, or at a range of them. */
export const namesValues = ({ lookup, negated, values }: Filter): boolean =>
  lookup === 'exact' && negated !== true && !values.includes(null)

/** Whether a filter names its rows, by their ids or by the requests that wrote them: they are looked up one by one. */
export const namesRows = (filter: Filter): boolean =>
  isRequestFilter(filter.field) || (filter.field === 'id' && namesValues(filter))

const extraTypes: Readonly<Record<string, string>> = {
  id: 'bigint',
  created: 'timestamptz',
  last_updated: 'timestamptz',
}

const isRequestFilter = (field: string): field is keyof typeof requestFilters => Object.hasOwn(requestFilters, field)

/** Rows of which main's change log has such an action of one of the requests, by its index of requests. */
const requestCondition = (model: ModelName, actions: ReadonlyArray<string>, requests: Filter['values']): Condition => ({
  where: sql`t.id in (select e.object_id from changes e
    where e.request_id = any(${requests}::uuid[]) and e.model = ${model} and e.action = any(${actions}::text[]))`,
  columns: [],
  few: true,
})

/**
 * Free text: any of the model's search columns contains it, without regard to case. For `folding` see
 * `comparison`.
 */
export function searchCondition(model: ModelName, text: string, folding: string | null): Condition {
  // No column can hold a text that PostgreSQL cannot store.
  if (text.includes('\0') || !text.isWellFormed()) return { where: sql`false`, columns: [] }
  const columns = registry[model].search.flatMap((name) => {
    const column = name === 'server.name' ? serverName(model) : listColumn(model, name)
    return column === undefined ? [] : [column]
  })
  return { where: containsText(columns, text, folding), columns }
}

/** Whether any of some columns contains a text, without regard to case. */
export function containsText(
  columns: ReadonlyArray<Pick<ListColumn, 'value'>>,
  text: string,
  folding: string | null,
): RawBuilder<unknown> {
  const contains = columns.map(({ value }) => sql`${inAnyCase(value, folding)} ilike ${patternOf('ic', text)}`)
  return sql`(${sql.join(contains, sql` or `)})`
}
