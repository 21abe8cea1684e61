import { type Filter, type ListQuery, registry } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { sameKey } from '../tables/columns.ts'
import { patternOf } from '../tables/comparison.ts'
import { variantColumns } from '../tables/variants.ts'
import { inScopeOf, type Levels, rowsByKey, rowsBySearch, rowsByVariant, type Search, type Source } from './levels.ts'
import {
  type Condition,
  containsText,
  filterCondition,
  type ListView,
  namesValues,
  partsOf,
  searchCondition,
} from './list-view.ts'

const scopeFields: ReadonlyArray<string> = ['server', 'datastore_name', 'namespace', 'backup_type']
const snapshotFields: ReadonlyArray<string> = [...registry.group.key, ...variantColumns, 'comment']

/** The fields of a query that decide whether counters answer it. */
type Countable = Pick<ListQuery, 'model' | 'filters' | 'search' | 'order'>

/** Whether counters tell how many rows match: nothing but what they tell apart is asked for. */
export function countsByLevels({ model, filters, search }: Countable): boolean {
  if (isSearch(search) && (model !== 'snapshot' || !isStorable(search))) return false
  if (model !== 'snapshot' && model !== 'group') return false
  const counted = model === 'snapshot' ? snapshotFields : scopeFields
  return filters.every(({ field, custom }) => custom === undefined && counted.includes(field))
}

const isSearch = (search: string | null): search is string => search !== null && search !== ''

/** Whether PostgreSQL can store a text at all. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

/** Whether a page has the order of the key too, and so is found by walking the levels. */
export const walksLevels = (query: Countable): boolean => query.order.length === 0 && countsByLevels(query)

/** Whether such a query reads all groups: no counter of scopes and no index tells which of them match. */
export const readsAllGroups = ({ filters }: Countable): boolean =>
  filters.some(({ field }) => field === 'backup_id' || field === 'comment') &&
  !filters.some((filter) => filter.field === 'backup_id' && namesValues(filter))

/** The rows that a query asks for, and that counters count. */
export interface Counted {
  readonly model: 'snapshot' | 'group'
  readonly filters: ReadonlyArray<Filter>
  readonly search: string | null
  /** As `filterCondition` has it. */
  readonly folding: string | null
}

/** The rows of a query in an inventory: by its counters, and by its rows where these are of a branch. */
export function sourceOf(
  { model, filters, search, folding }: Counted,
  { levels, view }: { readonly levels: Levels; readonly view: (fields: ReadonlyArray<string>) => ListView },
): Source {
  const of = (some: ReadonlyArray<Filter>) => some.map((filter) => filterCondition('snapshot', filter, folding))
  const leveled = {
    ofScopes: of(filters.filter(({ field }) => scopeFields.includes(field))),
    ofGroups: of(filters.filter(({ field }) => !scopeFields.includes(field))),
  }
  const fields = [...registry.group.key, ...filters.map(({ field }) => field)]
  if (isSearch(search))
    return rowsBySearch(levels, view([...fields, ...registry.snapshot.search]), searchFor(search, folding), leveled)
  if (filters.every(isOfKey)) return rowsByKey(levels, model === 'group' ? 'groups' : 'snapshots', leveled)
  return rowsByVariant(levels, view(fields), { ...leveled, mayMatch: filters.flatMap(textsOf) })
}

/** A search of snapshots by its levels: the registry's columns, each where it is stored. */
function searchFor(text: string, folding: string | null): Search {
  const columns = (...names: ReadonlyArray<string>) => names.map((name) => ({ value: sql.ref(name) }))
  return {
    ofScope: containsText(columns('v.name', 't.datastore_name', 't.namespace'), text, folding),
    ofVariant: containsText(columns('t.backup_id', 't.owner', 't.comment'), text, folding),
    mayHave: hasText(text),
    ofAll: text.includes('\n') ? sql`false` : isUniform,
    ofRow: searchCondition('snapshot', text, folding),
  }
}

/** Whether the texts of a group `t` contain a text, without regard to case. */
const hasText = (text: string): RawBuilder<unknown> =>
  sql`t.texts like netbox_pbs_folded(${patternOf('ic', text)}::text)`

/**
 * Whether the texts of a group `t` are three lines: all its snapshots have one owner and one comment,
 * so that a text in any line is a text of each of them.
 */
const isUniform = sql`t.texts not like ${'%\n%\n%\n%'}`

const contained: ReadonlySet<Filter['lookup']> = new Set(['exact', 'ie', 'ic', 'isw', 'iew'])

/** What follows from a filter for the texts of a group, where these are what it is about. */
function textsOf({ field, lookup, negated, values }: Filter): ReadonlyArray<RawBuilder<unknown>> {
  if (!['backup_id', 'owner', 'comment'].includes(field) || !contained.has(lookup) || negated === true) return []
  const texts = values.filter((value) => typeof value === 'string' && isStorable(value))
  if (texts.length === 0 || texts.length < values.length) return []
  return [
    sql`(${sql.join(
      texts.map((text) => hasText(String(text))),
      sql` or `,
    )})`,
  ]
}

/** Whether a filter is of a column of the group's key. */
export const isOfKey = ({ field }: Filter): boolean => (registry.group.key as ReadonlyArray<string>).includes(field)

/** How many rows match. */
export const countOfLevels = (source: Source): RawBuilder<{ readonly count: number }> =>
  sql`${steps(source)} select coalesce(sum(s.n), 0)::bigint as count from scopes_with_rows s`

/** The scopes with matching rows: their key, the name of their server, and `n`, how many match. */
const steps = ({ steps: needed, scopes, servers }: Source): RawBuilder<unknown> => sql`
    with ${sql.join([
      ...needed,
      sql`scopes_with_rows as materialized (
        select t.server_id, v.name as server_name, t.datastore_name, t.namespace, t.backup_type, sum(t.n)::bigint as n
        from ${scopes} join ${servers} v on v.id = t.server_id
        group by t.server_id, v.name, t.datastore_name, t.namespace, t.backup_type having sum(t.n) > 0
      )`,
    ])}`

/** Which rows of a list. */
export interface Slice {
  readonly limit: number
  readonly offset: number
}

/** A page of the rows that a query asks for. */
interface Page extends Counted, Slice {
  readonly source: Source
  /** The model with the fields that the query and the order read. */
  readonly view: ListView
}

/** The fields that a walk reads, besides those of the query. */
export const walkedFields = ({ model, filters, search }: Counted): ReadonlyArray<string> => [
  ...registry[model].key,
  ...filters.map(({ field }) => field),
  ...(isSearch(search) ? registry[model].search : []),
]

/**
 * The ids of a page in the model's own order, their places, and as `total` how many rows match: each level is walked in its order,
 * adding up its counters, and only what the page touches of it is read of the next one. Snapshots
 * come newest first.
 */
export function walkedIds({ source, view, limit, offset, ...counted }: Page): RawBuilder<unknown> {
  const end = sql`${offset + limit}::bigint`
  const start = sql`${offset}::bigint`
  const touches = (alias: string) =>
    sql`${sql.ref(`${alias}.before`)} < ${end} and ${sql.ref(`${alias}.before`)} + ${sql.ref(`${alias}.n`)} > ${start}`
  const rows =
    counted.model === 'group'
      ? sql`(select p.* from p) w cross join lateral (${groupsIn(view)}) r`
      : sql`(${touchedGroups(source, touches)}) w cross join lateral (${snapshotsIn(view, counted)}) r`
  return sql`${steps(source)}, by_server as (
      select s.server_id, s.n, (sum(s.n) over (order by s.server_name, s.server_id rows unbounded preceding) - s.n)::bigint as before
      from (select server_id, server_name, sum(n)::bigint as n from scopes_with_rows group by server_id, server_name) s
    ), by_scope as (
      select s.*, (v.before + sum(s.n) over (
        partition by s.server_id order by s.datastore_name, s.namespace, s.backup_type rows unbounded preceding
      ) - s.n)::bigint as before
      from by_server v join scopes_with_rows s on s.server_id = v.server_id where ${touches('v')}
    ), p as materialized (select * from by_scope b where ${touches('b')})
    select ordered.id, row_number() over () as place, (select sum(s.n)::bigint from scopes_with_rows s) as total from (
      select r.id from ${rows}
      where w.before + r.nth > ${start} and w.before + r.nth <= ${end} order by w.before, r.nth limit ${limit}
    ) ordered`
}

/** The groups `w` of the scopes `p` that a page touches. */
const touchedGroups = (source: Source, touches: (alias: string) => RawBuilder<unknown>): RawBuilder<unknown> => sql`
    select g.* from p cross join lateral (
      select p.server_id, p.datastore_name, p.namespace, p.backup_type, t.backup_id, t.n,
        (p.before + sum(t.n) over (order by t.backup_id rows unbounded preceding) - t.n)::bigint as before
      from (${source.groups(inScopeOf('p'))}) t
    ) g where ${touches('g')}`

/** The matching snapshots of the group `w`, numbered. */
function snapshotsIn(view: ListView, { filters, search, folding }: Counted): RawBuilder<unknown> {
  const ofRows = filters
    .filter((filter) => !isOfKey(filter))
    .map((filter) => filterCondition('snapshot', filter, folding))
  const inGroup: Condition = { where: sameKey('group', 't', 'w'), columns: [] }
  const ofSearch = isSearch(search) ? [searchCondition('snapshot', search, folding)] : []
  const parts = partsOf(view, { conditions: [inGroup, ...ofRows, ...ofSearch] }).map(
    (part) => sql`select t.id, t.backup_time ${part}`,
  )
  return sql`
    select s.id, row_number() over (order by s.backup_time desc, s.id) as nth from (${sql.join(parts, sql` union all `)}) s`
}

/** The groups of the scope `w`, numbered. */
function groupsIn(view: ListView): RawBuilder<unknown> {
  const inScope: Condition = { where: inScopeOf('w')('t'), columns: [] }
  const parts = partsOf(view, { conditions: [inScope] }).map((part) => sql`select t.id, t.backup_id ${part}`)
  return sql`
    select g.id, row_number() over (order by g.backup_id, g.id) as nth from (${sql.join(parts, sql` union all `)}) g`
}
