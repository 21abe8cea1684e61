import {
  type Drill,
  type DrillValues,
  drillFields,
  type LoggedValues,
  proposeDrills,
  type ReaderTask,
} from '@netbox-pbs/core'
import { Drills } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { differing, logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import { andSeen, seenServers } from '../database/seen-servers.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { recordCondition, recordCount, recordListOf, recordOrder, recordSlice } from '../tables/record-list.ts'
import { nextVersion, versionChanged } from '../tables/row-version.ts'

const serverName = sql`coalesce(v.name, d.server_name)`
const drillRows = sql`from drills d left join servers v on v.id = d.server_id`

const drillList = recordListOf(drillFields, {
  columns: {
    id: sql`d.id`,
    state: sql`d.state`,
    server: sql`d.server_id`,
    datastore_name: sql`d.datastore_name`,
    namespace: sql`d.namespace`,
    backup_type: sql`d.backup_type`,
    backup_id: sql`d.backup_id`,
    backup_time: sql`d.backup_time`,
    started: sql`d.started`,
    duration_seconds: sql`d.duration_seconds`,
    outcome: sql`d.outcome`,
    performed_by: sql`d.performed_by`,
    note: sql`d.note`,
    created: sql`d.created`,
    last_updated: sql`d.last_updated`,
  },
  sorted: { server: serverName },
  order: sql`d.started desc, d.id desc`,
  id: sql`d.id`,
})

/** The ledger of restores. */
export const drillsLayer: Layer.Layer<Drills, never, Database> = Layer.effect(
  Drills,
  Effect.map(Database, (database) =>
    Drills.of({
      list: Effect.fn('Drills.list')(function* ({ where = [], order: terms = [], ...request }) {
        const ofUser = andSeen(yield* seenServers, sql`d.server_id`)
        return yield* database.query('reading the drills', async (db) => {
          const which = sql`where ${await recordCondition(db, drillList, where)} ${ofUser}`
          const slice = recordSlice(request, { id: drillList.id, order: recordOrder(drillList, terms) })
          const count = await recordCount(db, slice, sql`${drillRows} ${which}`)
          return {
            count,
            rows: await select(db, sql`${which} and ${slice.begin} order by ${slice.order} ${slice.limit}`),
          }
        })
      }),
      get: Effect.fn('Drills.get')(function* ({ id }) {
        const one = yield* oneOf(id)
        return Option.fromNullable((yield* database.query('reading a drill', (db) => select(db, one)))[0])
      }),
      create: Effect.fn('Drills.create')(function* ({ serverId, values, actor }) {
        const ofUser = andSeen(yield* seenServers, sql`v.id`)
        return yield* database.transaction('recording a drill', async (trx) => {
          const { rows } = await sql<{ id: number }>`
            insert into drills (server_id, server_name, ${sql.join(columns.map((name) => sql.id(name)))})
            select v.id, v.name, ${sql.join(columns.map((name) => written(name, values)))} from servers v where v.id = ${serverId}::bigint ${ofUser}
            returning id`.execute(trx)
          const [made] = await select(trx, sql`where d.id = ${rows[0]?.id ?? 0}::bigint`)
          if (made === undefined) return Option.none()
          await logOther(trx, { ...about(made), action: 'create', before: null, after: logged(made), by: actor })
          return Option.some(made)
        })
      }),
      update: Effect.fn('Drills.update')(function* ({ id, change, actor, versions }) {
        const one = yield* oneOf(id)
        return yield* database.transaction('changing a drill', async (trx) => {
          const before = await lockedDrill(trx, id, one)
          if (before === undefined) return Option.none()
          const outdated = versionChanged(before.last_updated, versions)
          if (outdated !== null) return outdated
          const values: DrillValues = { ...before, ...change }
          await sql`
            update drills set ${sql.join(columns.map((name) => sql`${sql.id(name)} = ${written(name, values)}`))},
              last_updated = ${nextVersion(sql`last_updated`)} where id = ${id}::bigint`.execute(trx)
          const [after] = await select(trx, one)
          if (after === undefined) throw new Error('an updated drill was not returned')
          const changed = differing(logged(before), logged(after))
          if (changed !== null) await logOther(trx, { ...about(after), action: 'update', ...changed, by: actor })
          return Option.some(after)
        })
      }),
      remove: Effect.fn('Drills.remove')(function* ({ id, actor, versions }) {
        const one = yield* oneOf(id)
        return yield* database.transaction('removing a drill', async (trx) => {
          const before = await lockedDrill(trx, id, one)
          if (before === undefined) return false
          const outdated = versionChanged(before.last_updated, versions)
          if (outdated !== null) return outdated
          await sql`delete from drills where id = ${id}::bigint`.execute(trx)
          await logOther(trx, { ...about(before), action: 'delete', before: logged(before), after: null, by: actor })
          return true
        })
      }),
    }),
  ),
)

const oneOf = (id: number): Effect.Effect<RawBuilder<unknown>> =>
  Effect.map(
    seenServers,
    (seen) => sql`where d.id = ${Number.isSafeInteger(id) ? id : 0}::bigint ${andSeen(seen, sql`d.server_id`)}`,
  )

async function lockedDrill(db: Kysely<Tables>, id: number, one: RawBuilder<unknown>): Promise<Drill | undefined> {
  await sql`select from drills where id = ${Number.isSafeInteger(id) ? id : 0}::bigint for update`.execute(db)
  return (await select(db, one))[0]
}

/** The columns that a user writes, with their types. */
const types = {
  state: 'text',
  datastore_name: 'text',
  namespace: 'text',
  backup_type: 'text',
  backup_id: 'text',
  backup_time: 'timestamptz',
  started: 'timestamptz',
  duration_seconds: 'bigint',
  outcome: 'text',
  performed_by: 'text',
  note: 'text',
} as const satisfies Record<keyof DrillValues, string>

const columns = Object.keys(types) as ReadonlyArray<keyof DrillValues> // border: the keys of a table that is written out here

const written = (name: keyof DrillValues, values: DrillValues) => sql`${values[name]}::${sql.raw(types[name])}`

async function select(db: Kysely<Tables>, which: RawBuilder<unknown>): Promise<ReadonlyArray<Drill>> {
  const { rows } = await sql<Drill>`
    select d.id, jsonb_build_object('id', d.server_id, 'name', ${serverName}) as server, ${sql.join(columns.map((name) => sql.ref(`d.${name}`)))},
      d.upid, d.created, d.last_updated ${drillRows} ${which}`.execute(db)
  return rows
}

const about = ({ id, server, datastore_name, backup_type, backup_id }: Drill) =>
  ({
    model: 'drill',
    id,
    serverId: server.id,
    title: `${backup_type}/${backup_id} of ${datastore_name} on ${server.name}`,
  }) as const

const logged = (drill: Drill): LoggedValues => Object.fromEntries(columns.map((name) => [name, drill[name]]))

/** How far back tasks propose drills, in days. */
const proposedDays = 7

/** Tasks that are looked at. */
const mostTasks = 5000

/** Records the drills that tasks propose which read a backup. `now` is RFC 3339. */
export async function recordProposals(db: Kysely<Tables>, now: string): Promise<void> {
  const since = sql`${now}::timestamptz - ${sql.lit(proposedDays)} * interval '1 day'`
  const epoch = (time: RawBuilder<unknown>) => sql`extract(epoch from ${time})::float8`
  const { rows: tasks } = await sql<ReaderTask>`
    select * from (
      select k.server_id, k.upid, k.worker_id, k."user", k.datastore_name, k.backup_type, k.backup_id, k.outcome,
        ${epoch(sql`k.starttime`)} as start, ${epoch(sql`k.endtime`)} as end
      from tasks k
      where k.worker_type = 'reader' and k.starttime > ${since} and k.outcome <> 'running' and k.backup_id <> ''
      order by k.starttime desc, k.id limit ${mostTasks}
    ) k order by k.start, k.upid`.execute(db)
  if (tasks.length === 0) return
  const { rows: known } = await sql<{
    server_id: number
    datastore_name: string
    backup_type: string
    backup_id: string
    start: number
  }>`
    select d.server_id, d.datastore_name, d.backup_type, d.backup_id, ${epoch(sql`d.started`)} as start
    from drills d where d.started > ${since} - interval '1 day'`.execute(db)
  const proposals = proposeDrills(tasks, known)
  if (proposals.length === 0) return
  const given = columns.filter((name) => name !== 'state' && name !== 'note')
  await sql`
    insert into drills (server_id, server_name, upid, state, note, ${sql.join(given.map((name) => sql.id(name)))})
    select v.id, v.name, p.upid, 'proposed', '', ${sql.join(given.map((name) => sql.ref(`p.${name}`)))}
    from jsonb_to_recordset(${jsonb(proposals)}) as p (server_id bigint, upid text, ${sql.join(given.map((name) => sql`${sql.id(name)} ${sql.raw(types[name])}`))})
    join servers v on v.id = p.server_id on conflict do nothing`.execute(db)
}
