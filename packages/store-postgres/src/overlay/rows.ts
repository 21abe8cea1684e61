import type { ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { branchTable, entryOf, isMerged, mergedColumns, mergedValue } from '../branches/branch-columns.ts'
import { touchesOneOf, touching } from '../branches/read-touches.ts'
import { mainRelation, observationsBy, type Relation } from '../lists/list-columns.ts'
import type { ListView, Replaced } from '../lists/list-view.ts'
import {
  type Column,
  defaultValue,
  forecastColumns,
  judgedColumns,
  observedColumns,
  operatorColumns,
  sameKey,
  tables,
} from '../tables/columns.ts'
import type { OverlayFacts } from './facts.ts'

type Sets = ReadonlyArray<ReadonlyArray<string>>

/**
 * A model in a branch, for a query of these fields: main's rows, except those that the branch
 * deletes, changes in one of the fields, or replaces by a created row of the same key; the branch's
 * rows replace them. A row that it changes in other fields is read from main, which has the
 * indexes.
 */
export function overlayRows(facts: OverlayFacts, fields: ReadonlyArray<string> | 'all'): ListView {
  const { branch, model, touches } = facts
  const main = overlayMain(facts)
  // A row that moves to another server may become visible or invisible by that.
  const needed = new Set(fields === 'all' ? [] : [...fields, 'server'])
  const whole = fields === 'all' || needed.has('last_updated')
  const concerned = whole ? touches.updates : touching(touches.updates, needed)
  const others: Array<Relation> = []
  if (touches.creates) others.push(entriesAlone(facts, sql`e.op = 'create'`))
  if (fields === 'all') {
    if (concerned.length > 0) others.push(updatedRows(facts, concerned))
  } else {
    for (const sets of byLookedAt(concerned, needed)) others.push(updatedRows(facts, sets))
    const lost = lostRows(
      facts,
      touches.updates.filter((set) => !concerned.includes(set)),
    )
    if (lost !== null) others.push(lost)
  }
  const of = sql`e.branch_id = ${branch}::bigint`
  const replaced: Array<Replaced> = []
  if (touches.deletes || concerned.length > 0) {
    const updated = sql`(e.op = 'update' and ${touchesOneOf(concerned)})`
    const which =
      concerned.length === touches.updates.length ? sql`e.op <> 'create'` : sql`(e.op = 'delete' or ${updated})`
    replaced.push({
      matches: sql`select from ${entryOf(branch, model, sql`t.id`)} where ${which}`,
      ids: sql`select e.id from ${branchTable(model)} e where ${of} and ${which}`,
    })
  }
  if (model === 'snapshot') {
    if (facts.shadows) replaced.push(shadowedSnapshots(branch))
  } else if (touches.creates) replaced.push(shadowed(branch, model))
  return { model, main, replaced, others }
}

/**
 * Rows whose key a creation has. A row that the branch itself changes is shown in addition to the
 * creation.
 */
export function shadowed(branch: number, model: ModelName): Replaced {
  const sameKeyed = sql`n.branch_id = ${branch}::bigint and n.op = 'create' and ${sameKey(model, 'n', 't')}
    and not exists (select from ${branchTable(model)} u where u.branch_id = ${branch}::bigint and u.id = t.id)`
  return {
    matches: sql`select from ${branchTable(model)} n where ${sameKeyed}`,
    ids: sql`select t.id from ${branchTable(model)} n join ${sql.table(tables[model])} t on ${sameKeyed}`,
  }
}

/** Of snapshots, which are many, those that are shadowed were found when their groups were counted. */
function shadowedSnapshots(branch: number): Replaced {
  const ids = sql`select unnest(c.shadowed) as id from branch_group_counts c where c.branch_id = ${branch}::bigint and c.shadowed <> '{}'`
  return { matches: sql`select from (${ids}) c where c.id = t.id`, ids }
}

/** Main's rows of the servers that are seen. */
export function overlayMain(facts: OverlayFacts): Relation {
  const { model, hidden } = facts
  const relation = { ...mainRelation(model), servers: overlayServers(facts) }
  if (hidden.length === 0 || model === 'server') return relation
  return { ...relation, seen: [sql`t.server_id <> all(${hidden}::bigint[])`] }
}

/** Servers by id and name, as the branch has them. */
export function overlayServers({ branch, servers, hidden }: OverlayFacts): RawBuilder<unknown> {
  const renamed = touching(servers.updates, new Set(['name'])).length > 0
  // Behind the `offset` the few servers are hashed: were they read in the order of their names, the
  // planner would go through main's rows once for each.
  if (hidden.length === 0 && !servers.creates && servers.updates.length === 0)
    return sql`(select id, name from servers offset 0)`
  const name = renamed ? sql`case when 'name' = any(e.touched) then e.name else m.name end` : sql`m.name`
  const entry = renamed
    ? sql` left join branch_servers e on e.branch_id = ${branch}::bigint and e.op = 'update' and e.id = m.id`
    : sql``
  return sql`(
    select m.id, ${name} as name from servers m${entry} where m.id <> all(${hidden}::bigint[])
    union all
    select e.id, e.name from branch_servers e where e.branch_id = ${branch}::bigint
      and (e.op = 'create' or e.op = 'update' and not exists (select from servers m where m.id = e.id))
  )`
}

/** A relation of the branch's own rows. Rows under a server that main has lost are not shown. */
export const overlayRelation = (
  facts: OverlayFacts,
  rows: RawBuilder<unknown>,
  observations: RawBuilder<unknown>,
): Relation => ({
  rows,
  joined: facts.model === 'server' ? [] : ['v'],
  servers: overlayServers(facts),
  observations,
  copies: sql`guest_copies`,
  seen: [],
})

/** Rows that only the branch has: whole from its entries `e`, with the observation that came with them. */
function entriesAlone(facts: OverlayFacts, which: RawBuilder<unknown>, from = sql``): Relation {
  const { branch, model } = facts
  const columns = overlayColumns(model).map((column) => sql`${entryValue(model, column)} as ${sql.id(column.name)}`)
  return overlayRelation(
    facts,
    sql`(
      select e.id, ${sql.join(columns)}, e.presence, null::timestamptz as missing_since${erased(model, sql`null::timestamptz`)}, e.last_seen_own, e.created, e.last_updated, e.observation
      from ${branchTable(model)} e${from} where e.branch_id = ${branch}::bigint and ${which}
    ) t`,
    firstObservations(model),
  )
}

/** What main notes of a snapshot whose verification was replaced. */
const erased = (model: ModelName, at: RawBuilder<unknown>): RawBuilder<unknown> =>
  model === 'snapshot' ? sql`, ${at} as verification_erased_at` : sql``

/** The observations that a creation carries. */
function firstObservations(model: ModelName): RawBuilder<unknown> {
  const read = observedColumns(model).map(
    ({ field, name, type }) => sql`(t.observation ->> ${field}::text)::${sql.raw(type)} as ${sql.id(name)}`,
  )
  // Nothing is known of them but what came with the creation.
  const own =
    model === 'datastore'
      ? [{ name: 'usage_own', type: 'timestamptz' }, ...forecastColumns]
      : model === 'job'
        ? judgedColumns
        : []
  const unknown = own.map(({ name, type }) => sql`null::${sql.raw(type)} as ${sql.id(name)}`)
  return read.length === 0 ? sql`` : sql`cross join lateral (select ${sql.join([...read, ...unknown])}) o`
}

/** The columns that rows of a branch have for themselves. */
function overlayColumns(model: ModelName): ReadonlyArray<Column> {
  const merged = mergedColumns(model)
  const names = new Set(merged.map(({ name }) => name))
  return [...merged, ...operatorColumns(model).filter(({ name }) => !names.has(name))]
}

/** An entry's value of a column. A column that only people write is empty in a sync's entries. */
function entryValue(model: ModelName, { field, name, type }: Column): RawBuilder<unknown> {
  const value = sql.ref(`e.${name}`)
  const otherwise = defaultValue(model, field)
  return operatorColumns(model).some((column) => column.name === name) && otherwise !== null
    ? sql`coalesce(${value}, ${otherwise}::${sql.raw(type)})`
    : value
}

/**
 * Main's rows that the branch updates, those whose entries touch one of the sets. A field that all
 * of them touch or none does need not be asked about row by row.
 */
function updatedRows(facts: OverlayFacts, sets: Sets): Relation {
  const { branch, model } = facts
  const value = (column: Column): RawBuilder<unknown> => {
    const touched = sets.filter((set) => set.includes(column.field)).length
    if (isMerged(column.field) && touched > 0) return mergedValue(column.field)
    const entry = entryValue(model, column)
    if (touched === sets.length) return entry
    const touches = touched === 0 ? sql`` : sql` or ${column.field}::text = any(e.touched)`
    return sql`case when m.id is null${touches} then ${entry} else ${sql.ref(`m.${column.name}`)} end`
  }
  const columns = overlayColumns(model).map((column) => sql`${value(column)} as ${sql.id(column.name)}`)
  const mains = ['presence', 'last_seen_own', 'created'].map(
    (name) =>
      sql`case when m.id is null then ${sql.ref(`e.${name}`)} else ${sql.ref(`m.${name}`)} end as ${sql.id(name)}`,
  )
  const server = model === 'server' ? sql`` : sql`, m.server_id as observed_under`
  return overlayRelation(
    facts,
    sql`(
      select e.id, ${sql.join([...columns, ...mains])}, m.missing_since${erased(model, sql`m.verification_erased_at`)}, greatest(m.last_updated, e.last_updated) as last_updated${server}
      from ${branchTable(model)} e left join ${sql.table(tables[model])} m on m.id = e.id
      where e.branch_id = ${branch}::bigint and e.op = 'update' and ${touchesOneOf(sets)}
    ) t`,
    observationsBy(model, 't.observed_under'),
  )
}

/**
 * Rows that the branch updates in other fields than those looked at, and that main has lost: they
 * are the branch's whole.
 */
function lostRows(facts: OverlayFacts, sets: Sets): Relation | null {
  if (sets.length === 0) return null
  const { branch, model } = facts
  const which = sql`e.op = 'update' and ${touchesOneOf(sets)}`
  // Of snapshots, which are many, those that are lost were found when their groups were counted.
  if (model === 'snapshot') {
    if (!facts.removed) return null
    const lost = sql`(
      select unnest(c.removed) as id from branch_group_counts c where c.branch_id = ${branch}::bigint and c.removed <> '{}'
    )`
    return entriesAlone(facts, which, sql` join ${lost} c on c.id = e.id`)
  }
  return entriesAlone(facts, sql`${which} and not exists (select from ${sql.table(tables[model])} m where m.id = e.id)`)
}

/**
 * Sets of touched fields by the queried fields that they include: each set's entries touch the same
 * ones, so that an index of the entries can be used.
 */
function byLookedAt(sets: Sets, fields: ReadonlySet<string>): ReadonlyArray<Sets> {
  const found = new Map<string, Sets>()
  for (const set of sets) {
    const lookedAt = JSON.stringify(set.filter((field) => fields.has(field)).toSorted())
    found.set(lookedAt, [...(found.get(lookedAt) ?? []), set])
  }
  return [...found.values()]
}
