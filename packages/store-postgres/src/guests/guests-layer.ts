import { type Guest, type GuestMember, guestFields, type SnapshotCopy } from '@netbox-pbs/core'
import { Guests } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import { andSeen, type SeenServers, seenServers } from '../database/seen-servers.ts'
import type { Tables } from '../database/tables.ts'
import { listColumn, listFrom } from '../lists/list-columns.ts'
import { severityOf } from '../lists/protection-columns.ts'
import {
  anyContains,
  recordCondition,
  recordCount,
  recordListOf,
  recordOrder,
  recordSlice,
} from '../tables/record-list.ts'
import { copyLedger } from './copy-ledger.ts'

const operation = 'reading guests'

/** Reads guests and their copies. */
export const guestsLayer: Layer.Layer<Guests, never, Database> = Layer.effect(
  Guests,
  Effect.map(Database, (database) =>
    Guests.of({
      list: Effect.fn('Guests.list')(function* ({ where: filters, order: terms, search, ...request }) {
        const seen = yield* seenServers
        const isWhole = (filters ?? []).length === 0 && search === undefined
        const page = database.query(operation, async (db) => {
          const list = guestList(seen)
          const asked = await recordCondition(db, list, filters)
          const searched =
            search === undefined ? sql`true` : await anyContains(db, [sql`o.backup_id`, sql`g.comment`], search)
          const { begin, order, limit, ...slice } = recordSlice(request, {
            id: list.id,
            order: recordOrder(list, terms),
          })
          const found = sql`${fromGuests(seen)} where ${visibleGuest(seen)} and ${asked} and ${searched}`
          const count = await recordCount(db, slice, isWhole && seen === null ? sql`from guests o` : found)
          const { rows } =
            await sql<Guest>`select ${guestColumns(seen)} ${found} and ${begin} order by ${order} ${limit}`.execute(db)
          return { count, rows }
        })
        return yield* isWhole && (terms ?? []).length === 0 ? page : database.scan(operation, page)
      }),
      get: Effect.fn('Guests.get')(function* ({ id }) {
        const seen = yield* seenServers
        if (!Number.isSafeInteger(id)) return Option.none()
        const found = yield* database.query(operation, async (db) => {
          const { rows } = await sql<Guest>`
            select ${guestColumns(seen)} ${fromGuests(seen)} where o.id = ${id}::bigint and ${visibleGuest(seen)}`.execute(
            db,
          )
          return rows[0]
        })
        return Option.fromNullable(found)
      }),
      members: Effect.fn('Guests.members')(function* ({ id }) {
        const seen = yield* seenServers
        return yield* database.query(operation, (db) => readMembers(db, id, seen))
      }),
      copiesOfSnapshot: Effect.fn('Guests.copiesOfSnapshot')(function* ({ id }) {
        const seen = yield* seenServers
        return yield* database.query(operation, (db) => readSnapshotCopies(db, id, seen))
      }),
      ledger: Effect.fn('Guests.ledger')(function* (request) {
        const seen = yield* seenServers
        return yield* database.query(operation, (db) => copyLedger(db, { ...request, seen }))
      }),
    }),
  ),
)

const isSeen = (seen: SeenServers, column: RawBuilder<unknown>): RawBuilder<unknown> =>
  seen === null ? sql`true` : seen(column)

/** Guests `o` with their origins: the group `g` and its server `v`, which are null where the user does not see it. */
const fromGuests = (seen: SeenServers): RawBuilder<unknown> => sql`from guests o
  left join groups g on g.id = o.origin_id and g.server_id = o.server_id ${andSeen(seen, sql`g.server_id`)}
  left join servers v on v.id = g.server_id`

/** A guest is seen where any of its groups is. */
const visibleGuest = (seen: SeenServers): RawBuilder<unknown> =>
  seen === null
    ? sql`true`
    : sql`(g.id is not null or exists (select from guest_copies c where c.guest_id = o.id ${andSeen(seen, sql`c.server_id`)}))`

/** An aggregate of the copies `c` of the guest `o` that the user sees. */
const ofCopies = (seen: SeenServers, value: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`(select ${value} from guest_copies c where c.guest_id = o.id ${andSeen(seen, sql`c.server_id`)})`

/** What is counted of copies: as it is stored where all servers are seen, else of those that are. */
const counts = (seen: SeenServers) =>
  seen === null
    ? {
        copies: sql`o.copies`,
        servers: sql`o.servers`,
        lagging_copies: sql`o.lagging_copies`,
        points_behind: sql`o.points_behind`,
        lag_since: sql`o.lag_since`,
      }
    : {
        copies: ofCopies(seen, sql`count(*)`),
        servers: sql`(select count(distinct x.server_id) from (
          select o.server_id union select c.server_id from guest_copies c where c.guest_id = o.id) x where ${seen(sql`x.server_id`)})`,
        // How far copies are behind an origin that is not seen is not told.
        lagging_copies: ofCopies(seen, sql`count(c.lag_since) filter (where g.id is not null)`),
        points_behind: ofCopies(seen, sql`coalesce(max(c.points_behind) filter (where g.id is not null), 0)`),
        lag_since: ofCopies(seen, sql`min(c.lag_since) filter (where g.id is not null)`),
      }

/** Whether the datastore `d` has the tag with a slug. */
const isTagged = (slug: string): RawBuilder<unknown> =>
  sql`d.tags @> (select to_jsonb(t.id) from tags t where t.removed is null and t.values ->> 'slug' = ${slug})`

/** How many groups of the guest `o` are on datastores with a tag. */
const onTagged = (seen: SeenServers, slug: string): RawBuilder<unknown> => sql`(
  select count(*) from (
    select x.server_id, x.datastore_name from groups x where x.id = o.origin_id and x.server_id = o.server_id
    union all select x.server_id, x.datastore_name from guest_copies c join groups x on x.id = c.group_id and x.server_id = c.server_id where c.guest_id = o.id
  ) x join datastores d on d.server_id = x.server_id and d.name = x.datastore_name
  where ${isTagged(slug)} and ${isSeen(seen, sql`x.server_id`)})`

/** A field of the group `g` as lists of groups have it. */
function ofOrigin(name: string): RawBuilder<unknown> {
  const column = listColumn('group', name)
  if (column === undefined) throw new Error(`group has no field ${name}`)
  return sql`(select ${column.value} ${listFrom('group', [column])} where t.id = g.id and t.server_id = g.server_id)`
}

const protection = sql`coalesce(${ofOrigin('protection')}, 'unknown')`

/** The list of guests. */
const guestList = (seen: SeenServers) =>
  recordListOf(guestFields, {
    columns: {
      id: sql`o.id`,
      backup_type: sql`o.backup_type`,
      backup_id: sql`o.backup_id`,
      server: sql`v.name`,
      datastore_name: sql`g.datastore_name`,
      namespace: sql`g.namespace`,
      comment: sql`coalesce(g.comment, '')`,
      snapshot_count: sql`coalesce(g.snapshot_count, 0)`,
      last_backup: sql`g.last_backup`,
      protection,
      protection_since: ofOrigin('protection_since'),
      fresh_until: sql`g.fresh_until`,
      ...counts(seen),
      offsite_copies: onTagged(seen, 'offsite'),
      offline_copies: onTagged(seen, 'offline'),
      created: sql`o.created`,
    },
    sorted: { protection: severityOf(protection) },
    order: sql`o.id`,
    id: sql`o.id`,
  })

const guestColumns = (seen: SeenServers): RawBuilder<unknown> => {
  const { id: _, server: __, datastore_name: ___, namespace: ____, ...columns } = guestList(seen).columns
  return sql`o.id, case when g.id is not null then ${namedGroup('g')} end as origin, ${sql.join(
    Object.entries(columns).map(([name, value]) => sql`${value} as ${sql.id(name)}`),
  )}`
}

const namedGroup = (alias: string): RawBuilder<unknown> => sql`jsonb_build_object('id', ${sql.ref(`${alias}.id`)},
  'server', jsonb_build_object('id', v.id, 'name', v.name), 'datastore_name', ${sql.ref(`${alias}.datastore_name`)},
  'namespace', ${sql.ref(`${alias}.namespace`)})`

async function readMembers(db: Kysely<Tables>, id: number, seen: SeenServers): Promise<ReadonlyArray<GuestMember>> {
  const shown = isSeen(seen, sql`o.server_id`)
  const { rows } = await sql<GuestMember>`
    select g.id, jsonb_build_object('id', v.id, 'name', v.name) as server, g.datastore_name, g.namespace,
      case when ${isSeen(seen, sql`m.copy_of_server_id`)} then m.copy_of end as copy_of, m.copy_of is null as is_origin,
      case when j.id is not null then jsonb_build_object('id', j.id, 'name', j.job_id) end as job,
      coalesce(${isTagged('offsite')}, false) as offsite, coalesce(${isTagged('offline')}, false) as offline,
      g.snapshot_count, g.last_backup, case when ${shown} then m.points_behind else 0 end as points_behind,
      case when ${shown} then m.lag_since end as lag_since
    from guests o cross join lateral (
      select o.origin_id as group_id, o.server_id, null::bigint as copy_of, null::bigint as copy_of_server_id, null::bigint as job_id,
        0::bigint as points_behind, null::timestamptz as lag_since
      union all
      select c.group_id, c.server_id, c.copy_of, c.copy_of_server_id, c.job_id, c.points_behind, c.lag_since from guest_copies c where c.guest_id = o.id
    ) m
    join groups g on g.id = m.group_id and g.server_id = m.server_id
    join servers v on v.id = g.server_id
    left join datastores d on d.server_id = g.server_id and d.name = g.datastore_name
    left join jobs j on j.id = m.job_id ${andSeen(seen, sql`j.server_id`)}
    where o.id = ${id}::bigint ${andSeen(seen, sql`g.server_id`)} order by m.copy_of is not null, g.id`.execute(db)
  return rows
}

async function readSnapshotCopies(
  db: Kysely<Tables>,
  id: number,
  seen: SeenServers,
): Promise<ReadonlyArray<SnapshotCopy>> {
  const { rows } = await sql<SnapshotCopy>`
    select s.id, jsonb_build_object('id', v.id, 'name', v.name) as server, s.datastore_name, s.namespace, s.verification_state, s.size_bytes
    from snapshots x
    join groups g on g.backup_id = x.backup_id and g.backup_type = x.backup_type
    join snapshots s on s.server_id = g.server_id and s.datastore_name = g.datastore_name and s.namespace = g.namespace
      and s.backup_type = x.backup_type and s.backup_id = x.backup_id and s.backup_time = x.backup_time
    join servers v on v.id = s.server_id
    where x.id = ${id}::bigint and s.id <> x.id and s.finished ${andSeen(seen, sql`s.server_id`)} ${andSeen(seen, sql`x.server_id`)} order by s.id`.execute(
    db,
  )
  return rows
}
