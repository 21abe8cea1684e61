import { type Breach, breachFields } from '@netbox-pbs/core'
import { Breaches } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import { andSeen, seenServers } from '../database/seen-servers.ts'
import type { Tables } from '../database/tables.ts'
import { recordCondition, recordCount, recordListOf, recordOrder, recordSlice } from '../tables/record-list.ts'

/** A server that was renamed shows its present name. */
const serverName = sql`coalesce(v.name, b.server_name)`

const breachRows = sql`from breaches b left join servers v on v.id = b.server_id left join groups g on g.id = b.group_id`

const breachList = recordListOf(breachFields, {
  columns: {
    id: sql`b.id`,
    group: sql`g.id`,
    server: sql`b.server_id`,
    datastore_name: sql`b.datastore_name`,
    namespace: sql`b.namespace`,
    backup_type: sql`b.backup_type`,
    backup_id: sql`b.backup_id`,
    objective: sql`b.objective`,
    begin: sql`b.began`,
    end: sql`b.ended`,
  },
  sorted: { server: serverName },
  order: sql`b.began desc, b.id desc`,
  id: sql`b.id`,
})

/** The times in which groups had no backup young enough. */
export const breachesLayer: Layer.Layer<Breaches, never, Database> = Layer.effect(
  Breaches,
  Effect.map(Database, (database) =>
    Breaches.of({
      list: Effect.fn('Breaches.list')(function* ({ where = [], order: terms = [], ...request }) {
        const ofUser = andSeen(yield* seenServers, sql`b.server_id`)
        return yield* database.query('reading the breaches', async (db) => {
          const which = sql`where ${await recordCondition(db, breachList, where)} ${ofUser}`
          const own = { id: breachList.id, order: recordOrder(breachList, terms), newestFirst: true }
          const { begin, order, limit, ...slice } = recordSlice(request, own)
          const count = await recordCount(db, slice, sql`${breachRows} ${which}`)
          return { count, rows: await selectBreaches(db, sql`${which} and ${begin} order by ${order} ${limit}`) }
        })
      }),
      get: Effect.fn('Breaches.get')(function* ({ id }) {
        if (!Number.isSafeInteger(id)) return Option.none()
        const which = sql`where b.id = ${id}::bigint ${andSeen(yield* seenServers, sql`b.server_id`)}`
        const [breach] = yield* database.query('reading a breach', (db) => selectBreaches(db, which))
        return Option.fromNullable(breach)
      }),
    }),
  ),
)

async function selectBreaches(db: Kysely<Tables>, page: RawBuilder<unknown>): Promise<ReadonlyArray<Breach>> {
  const { rows } = await sql<Breach>`
    select b.id, g.id as "group", jsonb_build_object('id', b.server_id, 'name', ${serverName}) as server, b.datastore_name,
      b.namespace, b.backup_type, b.backup_id, b.objective, b.began as begin, b.ended as end
    ${breachRows} ${page}`.execute(db)
  return rows
}
