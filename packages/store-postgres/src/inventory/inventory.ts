import {
  type Facts,
  type FieldValue,
  type MainRow,
  type ModelName,
  type Observations,
  type Presence,
  registryVersion,
  type Scope,
  type ServerTiming,
  scopeTitle,
  type TaskMarks,
} from '@netbox-pbs/core'
import {
  Inventory,
  type KnownGroup,
  type KnownTask,
  type ScopeState,
  type ServerRow,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Option, Stream } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import { pageSize, pages } from '../database/pages.ts'
import type { Tables } from '../database/tables.ts'
import { heldDeletionsOf } from '../held-deletions/held-deletions-row.ts'
import { healthColumns, healthOf } from '../observations/observations.ts'
import { isScopeRow, rowCounts, scopePlace, scopeServerId } from '../scopes/scope-place.ts'
import { type Column, factColumns, isSighted, observedColumns, tables } from '../tables/columns.ts'
import { readKnownGroups } from './known-digests.ts'
import { namesInUse } from './names-in-use.ts'

/** Sync's reads of main, from the tables. */
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
      knownGroups: (request) => readKnownGroups(database, request),
      snapshots: ({ groupIds }) =>
        Stream.unwrap(
          Effect.map(groupBatches(database, groupIds), (batches) =>
            Stream.fromIterable(batches).pipe(
              Stream.flatMap((ids) =>
                Stream.fromIterableEffect(
                  database.query('reading snapshots', async (db) => {
                    // A separate lateral, so that each group reads its own range under every plan.
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
      datastoresInUse: ({ serverId }) => {
        const where = sql`server_id = ${serverId}`
        const column = 'datastore_name'
        const tables = [{ table: 'groups', column, where } as const, { table: 'namespaces', column, where } as const]
        return namesInUse(database, 'reading datastores', tables)
      },
      // There is no snapshot without its group.
      namespacesInUse: ({ serverId, datastore }) => {
        const where = sql`server_id = ${serverId} and datastore_name = ${datastore}`
        return namesInUse(database, 'reading namespaces', [{ table: 'groups', column: 'namespace', where }])
      },
    })
  }),
)

/** The servers that `rest`, the end of a query over them as `t`, chooses. */
async function readServers(db: Kysely<Tables>, rest: RawBuilder<unknown>): Promise<ReadonlyArray<ServerRow>> {
  const { rows } = await sql<
    MainRecord & ServerTiming & { readonly pending_since: string | null }
  >`${selectMain('server', sql`, t.pending_since, t.sync_schedule, t.sync_interval_minutes, t.sleep_hours, ${healthColumns('o')}`)}
    left join server_observations o on o.server_id = t.id ${rest}`.execute(db)
  return rows.map((row) => {
    const { pending_since: pendingSince, sync_schedule, sync_interval_minutes, sleep_hours } = row
    const timing = { sync_schedule, sync_interval_minutes, sleep_hours }
    return { ...mainRow('server', row), pendingSince, timing, health: healthOf(row) }
  })
}

/** The result of the last landed complete list of a scope. */
async function readScopeState(db: Kysely<Tables>, scope: Scope): Promise<ScopeState> {
  const serverId = await scopeServerId(db, scope)
  if (serverId === undefined) return { visibility: null, lastCompleteAt: null, rows: 0, held: 0, set: null }
  const place = scopePlace(scope, serverId)
  const set = await heldDeletionsOf(db, place)
  const { rows } = await sql<Omit<ScopeState, 'set'>>`
    select counted.rows, counted.held, s.visibility, s.last_complete_at as "lastCompleteAt"
    from (${rowCounts(place)}) counted left join scopes s on ${isScopeRow(place)}`.execute(db)
  return { ...(rows[0] ?? { visibility: null, lastCompleteAt: null, rows: 0, held: 0 }), set }
}

/**
 * The groups of one namespace, with the digests that can be trusted. The columns of the namespace
 * are not read again for each group.
 */
function readGroups(
  database: Database['Type'],
  place: { readonly serverId: number; readonly datastore: string; readonly namespace: string },
): Stream.Stream<KnownGroup, StoreFailed> {
  const shared = { server: place.serverId, datastore_name: place.datastore, namespace: place.namespace }
  const columns = factColumns('group').filter(({ field }) => !Object.hasOwn(shared, field))
  return pages<KnownGroup>((after) =>
    database.query('reading groups', async (db) => {
      const { rows } = await sql<
        MainRecord & {
          readonly digest: string | null
          readonly listed_count: number
          readonly list_digest: string | null
        }
      >`
        select t.id, t.presence, t.absent_run, t.overrides, ${asFields(columns, 't')}, t.listed_count, t.list_digest,
          case when t.digest_registry_version = ${registryVersion}::bigint then t.digest end as digest
        from groups t
        where t.server_id = ${place.serverId} and t.datastore_name = ${place.datastore} and t.namespace = ${place.namespace}
          and (t.backup_type, t.backup_id) > (${after?.facts.backup_type ?? ''}, ${after?.facts.backup_id ?? ''})
        order by t.server_id, t.datastore_name, t.namespace, t.backup_type, t.backup_id limit ${pageSize}`.execute(db)
      return rows.map(
        ({ id, presence, overrides, digest, listed_count: listed, list_digest: listDigest, ...facts }) => {
          return { ...mainRow('group', { id, presence, overrides, ...shared, ...facts }), digest, listed, listDigest }
        },
      )
    }),
  )
}

/** Parts of a list of groups that have about one page of snapshots each; a group is never split. */
function groupBatches(
  database: Database['Type'],
  groupIds: ReadonlyArray<number>,
): Effect.Effect<ReadonlyArray<ReadonlyArray<number>>, StoreFailed> {
  return Effect.map(
    database.query('reading groups', (db) =>
      sql<{ id: number; snapshot_count: number }>`
        select id, snapshot_count from groups where id = any(${groupIds}::bigint[])`.execute(db),
    ),
    ({ rows }) => {
      const batches: Array<Array<number>> = []
      let remaining = 0
      for (const { id, snapshot_count } of rows) {
        const batch = batches.at(-1)
        if (batch === undefined || remaining < snapshot_count) {
          batches.push([id])
          remaining = pageSize
        } else batch.push(id)
        remaining -= snapshot_count + 1
      }
      return batches
    },
  )
}

const taskObservations = observedColumns('task')

/** The tasks of a server with these UPIDs. */
const readTasks = (
  database: Database['Type'],
  { serverId, upids }: { readonly serverId: number; readonly upids: ReadonlyArray<string> },
): Stream.Stream<KnownTask, StoreFailed> =>
  tasksBy(database, sql`t.server_id = ${serverId} and t.upid = any(${upids}::text[])`)

/** The tasks of a server that run as far as main knows. */
const readRunningTasks = (
  database: Database['Type'],
  { serverId }: { readonly serverId: number },
): Stream.Stream<KnownTask, StoreFailed> => tasksBy(database, sql`t.server_id = ${serverId} and t.outcome = 'running'`)

/** The newest start of a server's tasks, and the oldest of those that run. */
const readTaskMarks = (
  database: Database['Type'],
  { serverId }: { readonly serverId: number },
): Effect.Effect<TaskMarks, StoreFailed> =>
  database.query('reading the known tasks', async (db) => {
    const { rows } = await sql<TaskMarks>`
      select
        (select max(starttime) from tasks where server_id = ${serverId}) as "newestStart",
        (select min(starttime) from tasks where server_id = ${serverId} and outcome = 'running') as "oldestRunning"`.execute(
      db,
    )
    return rows[0] ?? { newestStart: null, oldestRunning: null }
  })

function tasksBy(database: Database['Type'], where: RawBuilder<unknown>): Stream.Stream<KnownTask, StoreFailed> {
  return pages<KnownTask>((after) =>
    database.query('reading tasks', async (db) => {
      const { rows } = await sql<MainRecord>`${selectMain('task', sql`, ${asFields(taskObservations, 't')}`)}
        where ${where} and t.upid > ${after?.facts.upid ?? ''} order by t.upid limit ${pageSize}`.execute(db)
      return rows.map(knownTask)
    }),
  )
}

function knownTask(record: MainRecord): KnownTask {
  const observed = Object.fromEntries(taskObservations.map(({ field }) => [field, record[field] ?? null]))
  // The columns and types are those of the registry, which the schema's test checks.
  return { ...mainRow('task', record), observed: observed as unknown as Observations<'task'> }
}

/** A row as `selectMain` returns it: the facts under their field names. */
type MainRecord = Readonly<Record<string, FieldValue>> & {
  readonly id: number
  readonly presence: Presence
  readonly overrides: Readonly<Record<string, FieldValue>> | null
  /** Of models whose rows may be absent. */
  readonly absent_run?: number | null
}

/** Columns under the names of their fields. */
const asFields = (columns: ReadonlyArray<Column>, alias: string): RawBuilder<unknown> =>
  sql.join(columns.map(({ field, name }) => sql`${sql.ref(`${alias}.${name}`)} as ${sql.id(field)}`))

/** `select … from` of a model's table, under the alias `t`, as far as its `where`. */
const selectMain = (model: ModelName, more: RawBuilder<unknown> = sql``): RawBuilder<MainRecord> =>
  sql<MainRecord>`select t.id, t.presence, t.overrides${isSighted(model) ? sql`, t.absent_run` : sql``}, ${asFields(factColumns(model), 't')}${more} from ${sql.table(tables[model])} t`

/** The mapper from a row of a table to a row as diff sees it. */
function mainRow<M extends ModelName>(model: M, record: MainRecord): MainRow<M> {
  const facts: Record<string, FieldValue> = {}
  for (const { field } of factColumns(model)) facts[field] = record[field] ?? null
  // The columns and types are those of the registry, which the schema's test checks.
  const { id, presence, absent_run: absentRun = null } = record
  const row = { id, presence, facts: facts as Facts<M>, ...(absentRun === null ? {} : { absentRun }) }
  return record.overrides === null ? row : { ...row, overrides: record.overrides }
}
