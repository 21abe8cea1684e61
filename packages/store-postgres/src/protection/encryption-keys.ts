import { type EncryptionKey, type EncryptionKeyNotes, keyFields, type LoggedValues } from '@netbox-pbs/core'
import { EncryptionKeys } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import { andSeen, type SeenServers, seenServers } from '../database/seen-servers.ts'
import type { Tables } from '../database/tables.ts'
import {
  anyContains,
  recordCondition,
  recordCount,
  recordListOf,
  recordOrder,
  recordSlice,
} from '../tables/record-list.ts'

/** The keys of clients, and what operators note of them. */
export const encryptionKeysLayer: Layer.Layer<EncryptionKeys, never, Database> = Layer.effect(
  EncryptionKeys,
  Effect.map(Database, (database) =>
    EncryptionKeys.of({
      list: Effect.fn('EncryptionKeys.list')(function* ({ filter, ...request }) {
        const seen = yield* seenServers
        return yield* database.query('reading the keys', async (db) => {
          const asked = await recordCondition(db, keyList, filter.where)
          const searched =
            filter.search === undefined
              ? sql`true`
              : await anyContains(
                  db,
                  [sql`k.fingerprint`, sql`k.holder`, sql`k.location`, sql`k.comment`],
                  filter.search,
                )
          const where = sql`where ${asked} and ${searched} and ${isSeen(seen)}`
          const own = { id: keyList.id, order: recordOrder(keyList, filter.order) }
          const { begin, order, limit, ...slice } = recordSlice(request, own)
          const count = await recordCount(db, slice, sql`${fromKeys(seen)} ${where}`)
          return { count, rows: await selectKeys(db, seen, sql`${where} and ${begin} order by ${order} ${limit}`) }
        })
      }),
      get: Effect.fn('EncryptionKeys.get')(function* ({ id }) {
        const seen = yield* seenServers
        const [key] = yield* database.query('reading a key', (db) => selectKeys(db, seen, oneKey(id, seen)))
        return Option.fromNullable(key)
      }),
      note: Effect.fn('EncryptionKeys.note')(function* ({ id, change, actor }) {
        const seen = yield* seenServers
        return yield* database.transaction('noting something of a key', async (trx) => {
          await sql`select from encryption_keys k where ${hasId(id)} for update`.execute(trx)
          const [before] = await selectKeys(trx, seen, oneKey(id, seen))
          if (before === undefined) return Option.none()
          const { holder, location, checked_at, comment } = { ...before, ...change }
          await sql`
            update encryption_keys k set holder = ${holder}, location = ${location}, checked_at = ${checked_at}::timestamptz, comment = ${comment},
              last_updated = greatest(now(), k.last_updated + interval '1 microsecond')
            where ${hasId(id)}`.execute(trx)
          const [after] = await selectKeys(trx, seen, oneKey(id, seen))
          if (after === undefined) throw new Error('a key vanished under its lock')
          await logOther(trx, {
            ...{ action: 'update', model: 'encryption_key', id, title: before.fingerprint },
            ...{ before: logged(before), after: logged(after), by: actor },
          })
          return Option.some(after)
        })
      }),
    }),
  ),
)

/**
 * The keys `k` with what they open, `o`: added up from the groups of the servers that are seen. It
 * reads the groups with encrypted snapshots, by their index.
 */
const fromKeys = (seen: SeenServers): RawBuilder<unknown> => sql`
  from encryption_keys k left join (
    select e.key, sum(e.n::bigint)::bigint as snapshots, count(*) as groups,
      count(*) filter (where (select count(*) from jsonb_object_keys(g.keys)) = 1) as only_groups
    from groups g cross join lateral jsonb_each_text(g.keys) e (key, n)
    where g.keys <> '{}' and e.key not in ('', '?') ${andSeen(seen, sql`g.server_id`)} group by e.key
  ) o on o.key = k.fingerprint
  left join lateral (
    select max(s.backup_time) as last from snapshots s
    where s.key_fingerprint <> '' and s.key_fingerprint = k.fingerprint ${andSeen(seen, sql`s.server_id`)}
  ) s on true`

/** A key that opens nothing any more is shown to users who see all servers. */
const isSeen = (seen: SeenServers): RawBuilder<unknown> => (seen === null ? sql`true` : sql`o.key is not null`)

const hasId = (id: number): RawBuilder<unknown> => (Number.isSafeInteger(id) ? sql`k.id = ${id}::bigint` : sql`false`)

const oneKey = (id: number, seen: SeenServers): RawBuilder<unknown> => sql`where ${hasId(id)} and ${isSeen(seen)}`

/** The list of keys. */
const keyList = recordListOf(keyFields, {
  columns: {
    id: sql`k.id`,
    fingerprint: sql`k.fingerprint`,
    snapshot_count: sql`coalesce(o.snapshots, 0)`,
    group_count: sql`coalesce(o.groups, 0)`,
    only_group_count: sql`coalesce(o.only_groups, 0)`,
    holder: sql`k.holder`,
    location: sql`k.location`,
    checked_at: sql`k.checked_at`,
    comment: sql`k.comment`,
    first_seen: sql`k.created`,
    last_seen: sql`s.last`,
    last_updated: sql`k.last_updated`,
  },
  order: sql`k.fingerprint, k.id`,
  id: sql`k.id`,
})

async function selectKeys(
  db: Kysely<Tables>,
  seen: SeenServers,
  page: RawBuilder<unknown>,
): Promise<ReadonlyArray<EncryptionKey>> {
  const columns = Object.entries(keyList.columns).map(([name, value]) => sql`${value} as ${sql.id(name)}`)
  const { rows } = await sql<EncryptionKey>`select ${sql.join(columns)} ${fromKeys(seen)} ${page}`.execute(db)
  return rows
}

const logged = ({ holder, location, checked_at, comment }: EncryptionKeyNotes): LoggedValues => ({
  holder,
  location,
  checked_at,
  comment,
})
