import { registryVersion } from '@netbox-pbs/core'
import type { KnownGroup, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { pageSize, pages } from '../database/pages.ts'
import { factColumns } from '../tables/columns.ts'
import { asFields, type MainRecord, mainRow } from '../tables/main-row.ts'

/**
 * The groups of one namespace, with the digests that can be trusted. What the namespace says of
 * them is not read again with each.
 */
export function readGroups(
  database: Database['Type'],
  place: { readonly serverId: number; readonly datastore: string; readonly namespace: string },
): Stream.Stream<KnownGroup, StoreFailed> {
  const shared = { server: place.serverId, datastore_name: place.datastore, namespace: place.namespace }
  const columns = factColumns('group').filter(({ field }) => !Object.hasOwn(shared, field))
  return pages<KnownGroup>((after) =>
    database.query('reading groups', async (db) => {
      const { rows } = await sql<MainRecord & { readonly digest: string | null; readonly listed_count: number }>`
        select t.id, t.presence, t.absent_run, t.overrides, ${asFields(columns, 't')}, t.listed_count,
          case when t.digest_registry_version = ${registryVersion}::bigint then t.digest end as digest
        from groups t
        where t.server_id = ${place.serverId} and t.datastore_name = ${place.datastore} and t.namespace = ${place.namespace}
          and (t.backup_type, t.backup_id) > (${after?.facts.backup_type ?? ''}, ${after?.facts.backup_id ?? ''})
        order by t.server_id, t.datastore_name, t.namespace, t.backup_type, t.backup_id limit ${pageSize}`.execute(db)
      return rows.map(({ id, presence, overrides, digest, listed_count: listed, ...facts }) => {
        return { ...mainRow('group', { id, presence, overrides, ...shared, ...facts }), digest, listed }
      })
    }),
  )
}

/**
 * The namespaces of a datastore that hold groups, and so all that hold snapshots: there is no
 * snapshot without its group.
 */
export function readNamespacesInUse(
  database: Database['Type'],
  place: { readonly serverId: number; readonly datastore: string },
): Stream.Stream<string, StoreFailed> {
  return pages<{ readonly namespace: string }>((after) =>
    database.query('reading namespaces', async (db) => {
      const { rows } = await sql<{ readonly namespace: string }>`
        select distinct namespace from groups
        where server_id = ${place.serverId} and datastore_name = ${place.datastore}
          ${after === null ? sql`` : sql`and namespace > ${after.namespace}`}
        order by namespace limit ${pageSize}`.execute(db)
      return rows
    }),
  ).pipe(Stream.map((row) => row.namespace))
}

/** Parts of a list of groups that have about one page of snapshots each; a group is never split. */
export function groupBatches(
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
