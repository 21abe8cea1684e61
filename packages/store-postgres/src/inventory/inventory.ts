import { type ModelName, type ServerTiming, scopeTitle } from '@netbox-pbs/core'
import { Inventory, type ServerRow } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option, Stream } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import { pageSize, pages } from '../database/pages.ts'
import type { Tables } from '../database/tables.ts'
import { healthColumns, healthOf } from '../observations/server-health.ts'
import { factColumns } from '../tables/columns.ts'
import { asFields, type MainRecord, mainRow, selectMain } from '../tables/main-row.ts'
import { groupBatches, readGroups, readNamespacesInUse } from './read-groups.ts'
import { readScopeState } from './read-scope-state.ts'
import { readRunningTasks, readTaskMarks, readTasks } from './read-tasks.ts'

/** What sync reads of main, from the tables. */
export const inventoryReadsLayer: Layer.Layer<Inventory, never, Database> = Layer.effect(
  Inventory,
  Effect.map(Database, (database) => {
    /** Rows of one model under a condition, in the order of `by`, which is unique among them. */
    const rowsBy = <M extends ModelName>(model: M, by: string, where: RawBuilder<unknown>) =>
      pages<MainRecord>((after) =>
        database.query(`reading ${model}s`, async (db) => {
          const further = after === null ? sql`` : sql` and ${sql.ref(`t.${by}`)} > ${after[by] ?? null}`
          const query = sql<MainRecord>`${selectMain(model)} where ${where}${further} order by ${sql.ref(`t.${by}`)} limit ${pageSize}`
          return (await query.execute(db)).rows
        }),
      ).pipe(Stream.map((record) => mainRow(model, record)))

    return Inventory.of({
      servers: () =>
        pages<ServerRow>((after) =>
          database.query('reading servers', (db) =>
            readServers(db, sql`where t.name > ${after?.facts.name ?? ''} order by t.name limit ${pageSize}`),
          ),
        ),
      server: Effect.fn('Inventory.server')(function* ({ id }) {
        const [row] = yield* database.query('reading a server', (db) =>
          readServers(db, sql`where t.id = ${id}::bigint`),
        )
        return Option.fromNullable(row)
      }),
      serverName: Effect.fn('Inventory.serverName')(function* ({ id }) {
        const { rows } = yield* database.query('reading the name of a server', (db) =>
          sql<{ name: string }>`select name from server_names where server_id = ${id}::bigint`.execute(db),
        )
        return Option.map(Option.fromNullable(rows[0]), ({ name }) => name)
      }),
      scopeState: Effect.fn('Inventory.scopeState')((scope) =>
        database.query(`reading the state of ${scopeTitle(scope)}`, (db) => readScopeState(db, scope)),
      ),
      datastores: ({ serverId }) => rowsBy('datastore', 'name', sql`t.server_id = ${serverId}`),
      namespaces: ({ serverId, datastore }) =>
        rowsBy('namespace', 'path', sql`t.server_id = ${serverId} and t.datastore_name = ${datastore}`),
      jobs: ({ serverId, jobType }) =>
        rowsBy('job', 'job_id', sql`t.server_id = ${serverId} and t.job_type = ${jobType}`),
      groups: (place) => readGroups(database, place),
      snapshots: ({ groupIds }) =>
        Stream.unwrap(
          Effect.map(groupBatches(database, groupIds), (batches) =>
            Stream.fromIterable(batches).pipe(
              Stream.flatMap((ids) =>
                Stream.fromIterableEffect(
                  database.query('reading snapshots', async (db) => {
                    // A lateral that is kept apart, so that each group reads its own range however
                    // many rows the planner expects.
                    const { rows } = await sql<MainRecord>`
                      select t.id, t.presence, t.overrides, ${asFields(factColumns('snapshot'), 't')} from groups g cross join lateral (
                        select s.* from snapshots s where s.server_id = g.server_id and s.datastore_name = g.datastore_name
                          and s.namespace = g.namespace and s.backup_type = g.backup_type and s.backup_id = g.backup_id offset 0
                      ) t
                      where g.id = any(${ids}::bigint[])`.execute(db)
                    return rows.map((row) => mainRow('snapshot', row))
                  }),
                ),
              ),
            ),
          ),
        ),
      tasks: (request) => readTasks(database, request),
      runningTasks: (request) => readRunningTasks(database, request),
      taskMarks: Effect.fn('Inventory.taskMarks')((request) => readTaskMarks(database, request)),
      namespacesInUse: (place) => readNamespacesInUse(database, place),
    })
  }),
)

/** The servers that `rest`, the end of a query over them as `t`, chooses. */
async function readServers(db: Kysely<Tables>, rest: RawBuilder<unknown>): Promise<ReadonlyArray<ServerRow>> {
  const { rows } = await sql<
    MainRecord & ServerTiming & { readonly pending_since: string | null }
  >`${selectMain('server', sql`, t.pending_since, t.sync_schedule, t.sync_interval_minutes, ${healthColumns('o')}`)}
    left join server_observations o on o.server_id = t.id ${rest}`.execute(db)
  return rows.map((row) => {
    const { pending_since: pendingSince, sync_schedule, sync_interval_minutes } = row
    const timing = { sync_schedule, sync_interval_minutes }
    return { ...mainRow('server', row), pendingSince, timing, health: healthOf(row) }
  })
}
