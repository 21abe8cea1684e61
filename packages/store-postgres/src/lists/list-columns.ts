import {
  jobGraceSeconds,
  type ModelName,
  registry,
  type ScopeResource,
  scopeResourceOf,
  scopes,
  verificationDays,
  verifyingWorkers,
} from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { fieldOf, observationTable, ownObservations, sameKey, sameScope, sqlType, tables } from '../tables/columns.ts'
import { protectionColumns } from './protection-columns.ts'

/** The rows of a model that a list may read, and their joins: main's tables, or a branch's replacements. */
export interface Relation {
  /** The rows, under the alias `t`, with main's columns. */
  readonly rows: RawBuilder<unknown>
  /** Joins that every query needs. */
  readonly joined: ReadonlyArray<'v'>
  /** Servers by `id` and `name`: a row is read only with its server. */
  readonly servers: RawBuilder<unknown>
  /** The join of the rows' observations, under the alias `o`. */
  readonly observations: RawBuilder<unknown>
  /** Copies of guests by `group_id`, as they are seen. */
  readonly copies: RawBuilder<unknown>
  /** Conditions on `t` that hold for every row that is seen. */
  readonly seen: ReadonlyArray<RawBuilder<unknown>>
}

/** Main's own rows. */
export const mainRelation = (model: ModelName): Relation => ({
  rows: sql`${sql.table(tables[model])} t`,
  joined: [],
  servers: sql`servers`,
  observations: observationsBy(model, 't.server_id'),
  copies: sql`guest_copies`,
  seen: [],
})

/** The join of main's observations of rows that main has under the server of a column. */
export function observationsBy(model: ModelName, server: string): RawBuilder<unknown> {
  const observation = observationTable(model)
  // A model without observations has no column that needs them.
  if (observation === null) return sql``
  const { table, id } = observation
  const ofServer = model === 'server' ? sql`` : sql` and o.server_id = ${sql.ref(server)}`
  return sql`left join ${sql.table(table)} o on ${sql.ref(`o.${id}`)} = t.id${ofServer}`
}

/**
 * The joins of a list, by alias: `v` the server, `o` the observations, `c` the row's scope, `d` its datastore,
 * `k` what makes a group a copy.
 */
type Joined = 'v' | 'o' | 'c' | 'd' | 'k'

/** Where the values of a field come from. */
export interface ListColumn {
  readonly value: RawBuilder<unknown>
  /** The joins that the value needs, apart from the rows themselves, which are `t`. */
  readonly needs: ReadonlyArray<Joined>
  /** The fields of the row that it is made of; with `last_updated` every change of the row changes it. */
  readonly reads: ReadonlyArray<string>
}

const own = (name: string, field = name): ListColumn => ({ value: sql.ref(`t.${name}`), needs: [], reads: [field] })

const indexed: ReadonlySet<string> = new Set(['id', 'backup_time', 'backup_id'])

/** Whether an index finds main's rows by the column, and gives them in its order. */
export const isIndexed = ({ reads }: ListColumn): boolean =>
  reads.length > 0 && reads.every((field) => indexed.has(field))

/**
 * The resource of the complete lists that a model's rows are in; null: no list of them is complete.
 * A server has its own last contact.
 */
const listedIn = (model: ModelName): ScopeResource | null =>
  model === 'server' || model === 'task' ? null : scopeResourceOf(model)

/** The fields that identify the scope of a row. */
const scopeFields = (model: ModelName): ReadonlyArray<string> => {
  const resource = listedIn(model)
  return resource === null ? [] : scopes[resource].by.map((field) => (field === 'datastore' ? 'datastore_name' : field))
}

/**
 * When a row was last seen: a listed one by the last complete list of its scope, any other by its
 * own note. A server has its own last contact.
 */
const lastSeen = (model: ModelName): ListColumn =>
  model === 'server'
    ? { value: sql`o.last_seen_at`, needs: ['o'], reads: [] }
    : {
        value: sql`case when t.presence = 'listed' then c.last_complete_at else t.last_seen_own end`,
        needs: ['c'],
        reads: scopeFields(model),
      }

/** The time of a datastore's last known sizes; null where none is known. */
const usageAt: ListColumn = {
  value: sql`case when coalesce(o.used_bytes, o.total_bytes, o.avail_bytes) is not null then coalesce(o.usage_own, ${lastSeen('datastore').value}) end`,
  needs: ['o', 'c'],
  reads: lastSeen('datastore').reads,
}

/** The name of the row's server; its own for a server. */
export const serverName = (model: ModelName): ListColumn =>
  model === 'server' ? own('name') : { value: sql`v.name`, needs: ['v'], reads: ['server'] }

/**
 * The place where the snapshot of an alias was verified: core's `verificationPlace` as an
 * expression for filters and orders, which a test compares with core's. The sets of nodes do not
 * depend on the row, so that each is read once for a whole list. `given` replaces columns of the alias.
 */
export function verificationPlaceOf(
  alias: string,
  given: Readonly<Record<string, RawBuilder<unknown>>> = {},
): RawBuilder<unknown> {
  const column = (name: string) => given[name] ?? sql.ref(`${alias}.${name}`)
  const part = (nth: number) => sql`split_part(${column('verification_upid')}, ':', ${sql.lit(nth)})`
  const workers = sql.join(verifyingWorkers.map((worker) => sql.lit(worker)))
  return sql`case
    when ${column('verification_state')} = '' then 'none'
    when ${part(1)} <> 'UPID' or ${part(2)} = '' or ${part(7)} not in (${workers}) or ${part(8)} = '' then 'unknown'
    when split_part(${part(8)}, '\\x3a', 1) <> replace(${column('datastore_name')}, '-', '\\x2d') then 'elsewhere'
    else ${nodePlace(column('server_id'), part(2))} end`
}

/** The place of a verification in a datastore of that name on a node, as seen from a server. */
function nodePlace(server: RawBuilder<unknown>, node: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`case when (${server}, ${node}) in (select n.server_id, n.node from server_nodes n) then
      case when ${node} in (select n.node from server_nodes n group by n.node having count(*) > 1) then 'unknown' else 'here' end
    when ${node} in (select n.node from server_nodes n) then 'elsewhere'
    else 'unknown' end`
}

/** When the verification of a snapshot began: core's `verifiedAt` as an expression. */
const verifiedAt: RawBuilder<unknown> = sql`case when t.verification_state <> '' and split_part(t.verification_upid, ':', 1) = 'UPID'
    and split_part(t.verification_upid, ':', 6) ~ '^[0-9A-Fa-f]{1,8}$' and split_part(t.verification_upid, ':', 6) !~ '^0+$'
  then to_timestamp(('x' || lpad(split_part(t.verification_upid, ':', 6), 8, '0'))::bit(32)::bigint) end`

/** The verifications of the group `t` by node, as they are stored. */
const ofNodes = sql`jsonb_each(t.verifications) k (node, stored)`
const placeOfNode = sql`case k.node when ':elsewhere' then 'elsewhere' when ':unknown' then 'unknown' else ${nodePlace(sql`t.server_id`, sql`k.node`)} end`

const verifiedIn = (place: 'here' | 'elsewhere' | 'unknown'): RawBuilder<unknown> =>
  sql`(select coalesce(sum((k.stored ->> 0)::bigint), 0)::bigint from ${ofNodes} where ${placeOfNode} = ${sql.lit(place)})`

/** Verifications here that began too long ago. */
const outdated: RawBuilder<unknown> = sql`(select count(*) from ${ofNodes} cross join lateral jsonb_array_elements(k.stored -> 1) a (time)
    where a.time::bigint < extract(epoch from now()) - ${sql.lit(verificationDays * 86_400)} and ${placeOfNode} = 'here')`

const ofKeys = (value: RawBuilder<unknown>): ListColumn => ({ value, needs: [], reads: [...registry.group.key] })

const ofVerifications = (value: RawBuilder<unknown>): ListColumn => ({
  value,
  needs: [],
  reads: [...registry.group.key],
})

/**
 * The same of the newest finished snapshot of the group `t`, as main has it. In a branch it is unknown
 * where main has no such snapshot, or one that was verified otherwise.
 */
const newestVerificationPlace: RawBuilder<unknown> = sql`case when t.newest_verification = '' then 'none' else coalesce((
    select ${verificationPlaceOf('s')} from snapshots s
    where ${sameKey('group', 's', 't')} and s.backup_time = t.last_backup and s.verification_state = t.newest_verification
  ), 'unknown') end`

/** When the snapshots of a namespace were last listed so; null: never. */
const listedAt = (column: 'last_full_at' | 'last_light_at'): ListColumn => ({
  value: sql`(select s.${sql.id(column)} from scopes s where s.resource = 'snapshots' and s.server_id = t.server_id
    and s.datastore_name = t.datastore_name and s.namespace = t.path)`,
  needs: [],
  reads: [...registry.namespace.key],
})

/** A derived field that is stored with the observations, and its value where there are none. */
const stored = (name: string, missing: RawBuilder<unknown>): ListColumn => ({
  value: sql`coalesce(${sql.ref(`o.${name}`)}, ${missing})`,
  needs: ['o'],
  reads: [],
})

/** What is stored of a group that is a copy; null of any other. In a branch as main has it. */
const ofCopy = (name: string): ListColumn => ({ value: sql.ref(`k.${name}`), needs: ['k'], reads: [] })

/** Whether a job was due since its server was last read, so that nothing is known of it now. */
const isDue = sql`o.health in ('ok', 'warning', 'waiting') and o.due_at + ${sql.lit(jobGraceSeconds)} * interval '1 second' < now()`

const protectionValues = protectionColumns(verificationPlaceOf)

/** It changes with the group, with the rules about its tags, with its datastore, and with the clock. */
const protection = (name: keyof typeof protectionValues): ListColumn => ({
  value: protectionValues[name],
  needs: ['c', 'd'],
  reads: [...registry.group.key, 'tags'],
})

/** How old the sizes of a datastore may be for a forecast of it to say something. */
const forecastDays = 7

const forecastNeeds: Pick<ListColumn, 'needs' | 'reads'> = { needs: usageAt.needs, reads: usageAt.reads }
const isForecast = sql`(${usageAt.value}) > now() - ${sql.lit(forecastDays)} * interval '1 day'`

/** The whole days until a time that is stored with the observations of a datastore. */
const daysUntil = (name: string): ListColumn => ({
  value: sql`case when ${isForecast} and ${sql.ref(`o.${name}`)} is not null then least(365, greatest(0, floor(extract(epoch from ${sql.ref(`o.${name}`)} - now()) / 86400)))::bigint end`,
  ...forecastNeeds,
})

/** Derived fields that no table has: they are made when a list is read. */
const derivedInLists: Readonly<Record<string, ListColumn>> = {
  'datastore.usage_at': usageAt,
  'datastore.dedup_percent': {
    value: sql`case when o.gc_disk_bytes > 0 then round(o.gc_index_bytes::numeric * 100 / o.gc_disk_bytes)::bigint end`,
    needs: ['o'],
    reads: [],
  },
  'datastore.forecast': {
    value: sql`case when ${isForecast} then coalesce(o.forecast, 'unknown') else 'unknown' end`,
    ...forecastNeeds,
  },
  'datastore.growth_per_day': { value: sql`case when ${isForecast} then o.growth_per_day end`, ...forecastNeeds },
  'datastore.days_until_full': daysUntil('full_at'),
  'datastore.days_until_full_soonest': daysUntil('full_soonest_at'),
  'datastore.days_until_full_latest': daysUntil('full_latest_at'),
  'snapshot.files': {
    value: sql`t.manifest_files || t.other_files`,
    needs: [],
    reads: ['manifest_files', 'other_files'],
  },
  'snapshot.verification_place': {
    value: verificationPlaceOf('t'),
    needs: [],
    reads: ['server', 'datastore_name', 'verification_state', 'verification_upid'],
  },
  'snapshot.verified_at': { value: verifiedAt, needs: [], reads: ['verification_state', 'verification_upid'] },
  'group.verified_here_count': ofVerifications(verifiedIn('here')),
  'group.verified_elsewhere_count': ofVerifications(verifiedIn('elsewhere')),
  'group.verified_unknown_count': ofVerifications(verifiedIn('unknown')),
  'group.verification_outdated_count': ofVerifications(outdated),
  'group.only_key': ofKeys(
    sql`coalesce((select min(k.key) from jsonb_object_keys(t.keys) k (key) having count(*) = 1 and min(k.key) not in ('', '?')), '')`,
  ),
  'group.key_count': ofKeys(sql`(select count(*) from jsonb_object_keys(t.keys) k (key) where k.key not in ('', '?'))`),
  'job.health': {
    value: sql`case when t.disable then 'off' when ${isDue} then 'unknown' else coalesce(o.health, 'unknown') end`,
    needs: ['o'],
    reads: ['disable'],
  },
  'job.health_since': {
    value: sql`case when t.disable then null when ${isDue} then o.due_at else o.health_since end`,
    needs: ['o'],
    reads: ['disable'],
  },
  'job.due_at': stored('due_at', sql`null::timestamptz`),
  'job.missed_runs': stored('missed_runs', sql`null::bigint`),
  'job.failed_runs': stored('failed_runs', sql`0`),
  'job.first_error': stored('first_error', sql`''`),
  'job.last_good_run': stored('last_good_run', sql`null::timestamptz`),
  'group.copy_of': ofCopy('copy_of'),
  'group.points_behind': ofCopy('points_behind'),
  'group.lag_since': ofCopy('lag_since'),
  'namespace.last_full_at': listedAt('last_full_at'),
  'namespace.last_light_at': listedAt('last_light_at'),
  'group.protection': protection('protection'),
  'group.protection_since': protection('protection_since'),
  'group.newest_verification_place': {
    value: newestVerificationPlace,
    needs: [],
    reads: [...registry.group.key, 'newest_verification', 'last_backup'],
  },
}

/** The column of a field of the model, or of `id`, `created`, `last_updated`; undefined: there is none. */
export function listColumn(model: ModelName, name: string): ListColumn | undefined {
  if (name === 'id' || name === 'created' || name === 'last_updated') return own(name)
  const field = fieldOf(model, name)
  if (field === undefined) return undefined
  if (name === 'last_seen_at') return lastSeen(model)
  const derived = derivedInLists[`${model}.${name}`]
  if (derived !== undefined) return derived
  if (field.type === 'reference') return own(`${name}_id`, name)
  const inRow = field.class !== 'observation' || ownObservations(model).some((column) => column.field === name)
  return !inRow ? { value: observed(model, name), needs: ['o'], reads: [] } : own(name)
}

/** A row that was never observed reads as the column's default. */
function observed(model: ModelName, name: string): RawBuilder<unknown> {
  const field = fieldOf(model, name)
  const value = sql.ref(`o.${name}`)
  return field !== undefined && 'default' in field && field.default !== undefined
    ? sql`coalesce(${value}, ${field.default}::${sql.raw(sqlType(field))})`
    : value
}

/** The columns of a served row: every field of the registry, and those that each model has. */
export function servedColumns(model: ModelName): ReadonlyArray<readonly [name: string, column: ListColumn]> {
  const fields = Object.keys(registry[model].fields).flatMap((name) => {
    const column = listColumn(model, name)
    return column === undefined ? [] : [[name, column] as const]
  })
  return [
    ['id', own('id')],
    ['serverName', serverName(model)],
    ...fields,
    ...['tags', 'custom_fields', 'created', 'last_updated'].map((name) => [name, own(name)] as const),
  ]
}

/** `from` of a list with the joins that its columns need; of main's rows, or of those of another relation. */
export function listFrom(
  model: ModelName,
  columns: Iterable<ListColumn>,
  relation: Relation = mainRelation(model),
): RawBuilder<unknown> {
  const needs = new Set([...relation.joined, ...[...columns].flatMap((column) => column.needs)])
  const joins = [...needs].map((alias) => sql` ${join(model, alias, relation)}`)
  return sql`from ${relation.rows}${sql.join(joins, sql``)}`
}

function join(model: ModelName, alias: Joined, { servers, observations, copies }: Relation): RawBuilder<unknown> {
  if (alias === 'k') return sql`left join ${copies} k on k.group_id = t.id`
  if (alias === 'v') return sql`join ${servers} v on v.id = t.server_id`
  if (alias === 'd') return sql`left join datastores d on d.server_id = t.server_id and d.name = t.datastore_name`
  if (alias === 'c') return sql`left join scopes c on ${ofScope(model)}`
  return observations
}

/** The row of `scopes` with the last complete list of the scope of a row. */
function ofScope(model: ModelName): RawBuilder<unknown> {
  const resource = listedIn(model)
  return resource === null ? sql`false` : sql`c.resource = ${sql.lit(resource)} and ${sameScope(resource, 'c', 't')}`
}

/** When a row of main, that of an alias, was last seen, as lists show it. A server has no such time of its own. */
export function lastSeenOf(model: ModelName, alias: string): RawBuilder<unknown> {
  const column = listColumn(model, 'last_seen_at')
  return column === undefined || model === 'server'
    ? sql`null::timestamptz`
    : sql`(select ${column.value} ${listFrom(model, [column])} where t.id = ${sql.ref(`${alias}.id`)})`
}
