import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { namespaceOf, pruneGroups, recountGroups, recountNamespaces } from '../inventory/recount.ts'
import { lockScope, type ScopePlace } from '../inventory/scope-place.ts'

/** The key of a snapshot's group. */
export interface GroupKey {
  readonly server_id: number
  readonly datastore_name: string
  readonly namespace: string
  readonly backup_type: string
  readonly backup_id: string
}

const placeOf = (key: GroupKey): ScopePlace => ({
  serverId: key.server_id,
  resource: 'snapshots',
  datastoreName: key.datastore_name,
  namespace: key.namespace,
  jobType: '',
})

/** The groups of each namespace, in an order that is the same for all, so that no two writers wait for each other. */
function byPlace(keys: ReadonlyArray<GroupKey>): ReadonlyArray<readonly [ScopePlace, ReadonlyArray<GroupKey>]> {
  const places = new Map<string, Array<GroupKey>>()
  for (const key of keys) {
    const name = JSON.stringify([key.server_id, key.datastore_name, key.namespace])
    places.set(name, [...(places.get(name) ?? []), key])
  }
  return [...places]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, of]) => (of[0] === undefined ? [] : [[placeOf(of[0]), of] as const]))
}

/** Takes the locks of the namespaces that the groups lie in. To be called before their snapshots are written. */
export async function lockGroups(db: Kysely<Tables>, keys: ReadonlyArray<GroupKey>): Promise<void> {
  for (const [place] of byPlace(keys)) await lockScope(place).execute(db)
}

/**
 * Brings groups in step with snapshots that a hand has written: makes those that are missing, forgets the frames they were read from, recounts them, and removes
 * those that nobody needs any more.
 */
export async function settleTouchedGroups(db: Kysely<Tables>, keys: ReadonlyArray<GroupKey>): Promise<void> {
  for (const [place, groups] of byPlace(keys)) {
    const types = groups.map((key) => key.backup_type)
    const ids = groups.map((key) => key.backup_id)
    const touched = sql`select * from unnest(${types}::text[], ${ids}::text[]) as k (backup_type, backup_id)`
    // The transaction that clears a digest is noted: a landing whose source was read before must not store a new one.
    await sql`
      insert into groups as g (server_id, datastore_name, namespace, backup_type, backup_id, presence, digest_cleared_by)
      select distinct ${place.serverId}::bigint, ${place.datastoreName}::text, ${place.namespace}::text, k.backup_type, k.backup_id, 'manual', pg_current_xact_id()
      from (${touched}) k
      on conflict (server_id, datastore_name, namespace, backup_type, backup_id)
      do update set digest = null, digest_cleared_by = excluded.digest_cleared_by`.execute(db)
    await recountGroups(db, place, touched)
    await pruneGroups(db, place, touched)
    await recountNamespaces(db, namespaceOf(place))
  }
}
