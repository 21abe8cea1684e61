import { harmlessTasks, registryVersion, shortDigest, taskToleranceSeconds } from '@netbox-pbs/core'
import type { Inventory, KnownDigest, LightList, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option, Stream } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { pageSize, pages } from '../database/pages.ts'
import { literals } from '../database/statement-values.ts'

/** What is known of the groups of a server, in the order of their keys; groups without a trusted digest are left out. */
export function readKnownGroups(
  database: Database['Type'],
  { serverId, filter, light }: Parameters<Inventory['Type']['knownGroups']>[0],
): Stream.Stream<KnownDigest, StoreFailed> {
  const chosen = sql.join(
    [
      sql`true`,
      ...(filter?.datastores === undefined ? [] : [sql`g.datastore_name = any(${filter.datastores}::text[])`]),
      ...(filter?.namespaces === undefined ? [] : [sql`g.namespace = any(${filter.namespaces}::text[])`]),
    ],
    sql` and `,
  )
  const unread = light === null ? Effect.succeed(new Set<string>()) : unreadPlaces(database, serverId, light)
  return Stream.fromEffect(unread).pipe(
    Stream.flatMap((places) =>
      pages<DigestRow>((after) =>
        database.query('reading the digests of groups', async (db) => {
          const { rows } = await sql<DigestRow>`
            select g.datastore_name, g.namespace, g.backup_type, g.backup_id, g.list_digest,
              case when g.presence = 'listed' and g.digest_registry_version = ${registryVersion}::bigint then g.digest end as digest
            from groups g
            where g.server_id = ${serverId}::bigint and (g.datastore_name, g.namespace, g.backup_type, g.backup_id)
              > (${after?.datastore_name ?? ''}, ${after?.namespace ?? ''}, ${after?.backup_type ?? ''}, ${after?.backup_id ?? ''})
              and ${chosen}
            order by g.server_id, g.datastore_name, g.namespace, g.backup_type, g.backup_id limit ${pageSize}`.execute(
            db,
          )
          return rows
        }),
      ).pipe(
        Stream.filterMap((row): Option.Option<KnownDigest> => {
          if (row.digest === null) return Option.none()
          return row.list_digest !== null && places.has(placeText(row.datastore_name, row.namespace))
            ? Option.some({ of: 'list', digest: row.list_digest })
            : Option.some({ of: 'frame', digest: shortDigest(row.digest) })
        }),
      ),
    ),
  )
}

interface DigestRow {
  readonly datastore_name: string
  readonly namespace: string
  readonly backup_type: string
  readonly backup_id: string
  readonly digest: string | null
  readonly list_digest: string | null
}

/** The namespaces whose groups a light run need not read. */
const unreadPlaces = (
  database: Database['Type'],
  serverId: number,
  { fullSince, except }: LightList,
): Effect.Effect<ReadonlySet<string>, StoreFailed> =>
  database.query('reading the namespaces that were listed in full', async (db) => {
    const { rows } = await sql<{ readonly datastore: string; readonly namespace: string }>`
      with ends as materialized (
        select w.datastore_name, max(w.endtime) + ${taskToleranceSeconds} * interval '1 second' as ended from tasks w
        where w.server_id = ${serverId}::bigint and w.worker_type not in (${literals(harmlessTasks)})
          and w.endtime > ${fullSince}::timestamptz - ${taskToleranceSeconds} * interval '1 second'
        group by w.datastore_name
      )
      select c.datastore_name as datastore, c.namespace from scopes c
      where c.server_id = ${serverId}::bigint and c.resource = 'snapshots' and c.last_full_at >= ${fullSince}::timestamptz
        and not exists (select from ends x where x.datastore_name in (c.datastore_name, '') and x.ended > c.last_full_at)`.execute(
      db,
    )
    const places = new Set(rows.map(({ datastore, namespace }) => placeText(datastore, namespace)))
    for (const { datastore, namespace } of except) places.delete(placeText(datastore, namespace))
    return places
  })

const placeText = (datastore: string, namespace: string): string => JSON.stringify([datastore, namespace])
