import { type ModelName, scopeResourceOf } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { lockPlaces } from '../scopes/scope-locks.ts'
import { placeOf } from '../scopes/scope-place.ts'
import { sameScope, scopeColumnsOf, tables } from '../tables/columns.ts'
import { notePending } from '../writes/pending-since.ts'
import { recountNamespaces } from '../writes/recount.ts'
import { type Check, idsOf, lockUnit, object, placeOfUnit, titleColumns, titleOf } from './check.ts'
import { byId, byKey } from './pieces.ts'

/** The scope of a row of a model as a unit. */
function scopeUnit(model: ModelName, alias: string): RawBuilder<unknown> {
  const resource = scopeResourceOf(model)
  const columns = scopeColumnsOf(resource).map((name) => [name, sql.ref(`${alias}.${name}`)])
  return object({ resource: sql.lit(resource), ...Object.fromEntries(columns) })
}

/** Rows of a model with one stored value and the one that follows. */
const rowsOf = (
  model: Exclude<ModelName, 'task'>,
  field: string,
  {
    stored,
    recount,
    joined = sql``,
  }: {
    readonly stored: RawBuilder<unknown>
    readonly recount: RawBuilder<unknown>
    readonly joined?: RawBuilder<unknown>
  },
) =>
  byId(
    tables[model],
    (range) => sql`
      select t.id, ${titleOf('t', ...titleColumns[model])} as title, ${scopeUnit(model, 't')} as unit, ${object({ [field]: stored })} as stored,
        ${object({ [field]: recount })} as recount
      from ${sql.table(tables[model])} t ${joined} where ${range}`,
  )

const namespaceCounts: Check = {
  name: 'namespaces.counters',
  table: 'namespaces',
  rule: 'The counts of a namespace are those of the rows of its groups and of their snapshots.',
  pieces: byKey(
    'namespace',
    (range) => sql`
      select n.id, ${titleOf('n', ...titleColumns.namespace)} as title,
        ${object({
          resource: sql.lit('snapshots'),
          server_id: sql`n.server_id`,
          datastore_name: sql`n.datastore_name`,
          namespace: sql`n.path`,
        })} as unit,
        ${object({ group_count: sql`n.group_count`, snapshot_count: sql`n.snapshot_count` })} as stored,
        ${object({
          group_count: sql`(select count(*) from groups g where g.server_id = n.server_id and g.datastore_name = n.datastore_name and g.namespace = n.path)`,
          snapshot_count: sql`(select count(*) from snapshots s where s.server_id = n.server_id and s.datastore_name = n.datastore_name and s.namespace = n.path)`,
        })} as recount
      from namespaces n where ${range('n')}`,
  ),
  repair: {
    // The row is in the list of namespaces, its counters follow the snapshots.
    lock: (db, unit) => {
      const place = placeOfUnit(unit)
      return lockPlaces({ scopes: [place, placeOf('namespaces', { ...place })] }).execute(db)
    },
    write: (db, _, rows) => recountNamespaces(db, sql`m.id = any(${idsOf(rows)})`),
  },
}

const waits = sql`t.presence in ('absent', 'missing')`

/** Since when a row is not listed: its own note, kept together with its presence. */
const missingSince = (model: Exclude<ModelName, 'task'>): Check => ({
  name: `${tables[model]}.missing_since`,
  table: tables[model],
  rule: 'A row that its list lacks says since when, and no other row does.',
  pieces: rowsOf(model, 'missing_since', {
    stored: sql`to_jsonb(t.missing_since)`,
    recount: sql`case when not ${waits} then null else coalesce(to_jsonb(t.missing_since), '"a time"') end`,
  }),
  repair: {
    lock: lockUnit,
    write: (db, _, rows) =>
      sql`update ${sql.table(tables[model])} t set missing_since = case when ${waits} then now() end where t.id = any(${idsOf(rows)})`.execute(
        db,
      ),
  },
})

const pendingSince: Check = {
  name: 'servers.pending_since',
  table: 'servers',
  rule: 'A server says since when its endpoint is pending exactly while it is.',
  pieces: rowsOf('server', 'pending', {
    stored: sql`t.pending_since is not null`,
    recount: sql`t.endpoint_state = 'pending'`,
  }),
  repair: { lock: lockUnit, write: notePending },
}

const serverNames: Check = {
  name: 'server_names.name',
  table: 'server_names',
  rule: 'The name under which runs show a server is the name of the server.',
  pieces: rowsOf('server', 'name', {
    stored: sql`n.name`,
    recount: sql`t.name`,
    joined: sql`left join server_names n on n.server_id = t.id`,
  }),
  repair: {
    lock: lockUnit,
    write: (db, _, rows) =>
      sql`
        insert into server_names (server_id, name) select id, name from servers where id = any(${idsOf(rows)})
        on conflict (server_id) do update set name = excluded.name`.execute(db),
  },
}

const lackingNodes = (alias: string) => sql`
  select distinct k.node from tasks k where k.server_id = ${sql.ref(`${alias}.id`)} and k.node <> ''
  except select o.node from server_nodes o where o.server_id = ${sql.ref(`${alias}.id`)}`

const serverNodes: Check = {
  name: 'server_nodes.node',
  table: 'server_nodes',
  rule: 'Each node that a task of a server names is known as a node of the server.',
  pieces: byId(
    'servers',
    (range) => sql`
      select t.id, ${titleOf('t', 'name')} as title, ${object({ resource: sql`'tasks'`, server_id: sql`t.id` })} as unit,
        ${object({ lacking: sql`array(${lackingNodes('t')} order by 1)` })} as stored, '{"lacking": []}'::jsonb as recount
      from servers t where ${range}`,
    { size: 1 },
  ),
  repair: {
    lock: lockUnit,
    write: (db, _, rows) =>
      sql`
        insert into server_nodes (server_id, node) select t.id, k.node from servers t cross join lateral (${lackingNodes('t')}) k
        where t.id = any(${idsOf(rows)}) on conflict do nothing`.execute(db),
  },
}

/** Rows that wait for a decision, of a model whose rows go missing only when their deletion is held. */
const heldRows = (model: 'snapshot' | 'job'): Check => ({
  name: `${tables[model]}.held`,
  table: tables[model],
  rule: 'A missing row belongs to the held deletions of its scope.',
  pieces: async () => ({
    pieces: [
      {
        title: 'missing rows',
        compared: sql`
          select min(t.id) as id, ${titleOf('t', ...scopeColumnsOf(scopeResourceOf(model)))} as title, ${scopeUnit(model, 't')} as unit,
            ${object({ held: sql`bool_or(h.id is not null)` })} as stored, '{"held": true}'::jsonb as recount
          from ${sql.table(tables[model])} t
          left join held_deletions h on h.resource = ${sql.lit(scopeResourceOf(model))} and ${sameScope(scopeResourceOf(model), 'h', 't')}
          where t.presence = 'missing' group by ${sql.join(scopeColumnsOf(scopeResourceOf(model)).map((name) => sql.ref(`t.${name}`)))}`,
      },
    ],
    next: null,
  }),
  repair: 'Sync the scope: its next complete list decides on the missing rows again.',
})

/** The checks of the other rows of main. */
export const mainChecks: ReadonlyArray<Check> = [
  namespaceCounts,
  ...(['server', 'datastore', 'namespace', 'group', 'snapshot', 'job'] as const).map(missingSince),
  pendingSince,
  serverNames,
  serverNodes,
  heldRows('snapshot'),
  heldRows('job'),
]
