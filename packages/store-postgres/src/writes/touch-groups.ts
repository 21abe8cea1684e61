import type { EditValues } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendChanges, created } from '../change-log/append-changes.ts'
import { jsonb, storable } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'
import type { Places } from '../scopes/scope-locks.ts'
import { placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import { amongGroups, pruneGroups, recountGroups, recountNamespaces } from './recount.ts'
import type { Writer } from './writer.ts'

/** The key of a snapshot's group. */
export interface GroupKey {
  readonly server_id: number
  readonly datastore_name: string
  readonly namespace: string
  readonly backup_type: string
  readonly backup_id: string
}

/** The group of a snapshot, as its key will be stored. */
export function groupKeyOf(values: EditValues): GroupKey {
  const text = (field: string) => String(storable(values[field] ?? ''))
  return {
    server_id: Number(values['server']),
    datastore_name: text('datastore_name'),
    namespace: text('namespace'),
    backup_type: text('backup_type'),
    backup_id: text('backup_id'),
  }
}

/** The groups of each namespace, each once. */
export function byPlace(keys: ReadonlyArray<GroupKey>): ReadonlyArray<readonly [ScopePlace, ReadonlyArray<GroupKey>]> {
  const places = new Map<string, Map<string, GroupKey>>()
  for (const key of keys) {
    const name = JSON.stringify([key.server_id, key.datastore_name, key.namespace])
    const groups = places.get(name) ?? new Map<string, GroupKey>()
    places.set(name, groups.set(JSON.stringify([key.backup_type, key.backup_id]), key))
  }
  return [...places]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, of]) => {
      const groups = [...of.values()]
      return groups[0] === undefined ? [] : [[placeOf('snapshots', groups[0]), groups] as const]
    })
}

/** The namespaces that groups lie in, as places to lock before their snapshots are written. */
export const placesOfGroups = (keys: ReadonlyArray<GroupKey>): Places => ({
  scopes: byPlace(keys).map(([place]) => place),
})

/**
 * Reconciles groups with snapshots that a user has written: creates missing groups, clears their
 * digests, recounts them and removes those that are no longer needed.
 */
export async function recountTouchedGroups(
  db: Kysely<Tables>,
  keys: ReadonlyArray<GroupKey>,
  writer: Writer,
): Promise<void> {
  if (keys.length === 0) return
  const { origin, watch } = writer
  const touched = groupRows(keys)
  // Records the transaction that clears a digest: a landing whose source was read before must not
  // store a new one.
  await sql`
    with settled as (
      insert into groups as g (server_id, datastore_name, namespace, backup_type, backup_id, presence, digest_cleared_by)
      select k.*, 'manual', pg_current_xact_id() from (${touched}) k
      on conflict (server_id, datastore_name, namespace, backup_type, backup_id)
      do update set digest = null, digest_cleared_by = excluded.digest_cleared_by
      returning g.*, g.xmax = 0 as is_new
    ), made as (
      select ${created('group', 's')} from settled s where s.is_new
    ) ${appendChanges('made', 'create', 'group', { origin })}`.execute(db)
  await recountGroups(db, touched, { watch })
  await pruneGroups(db, amongGroups(touched), { writer })
  await recountNamespaces(
    db,
    sql`(m.server_id, m.datastore_name, m.path) in (select k.server_id, k.datastore_name, k.namespace from (${touched}) k)`,
  )
  if (keys.length > 1) await watch.snapshotsMoved(db, touched)
}

const groupRows = (keys: ReadonlyArray<GroupKey>): RawBuilder<unknown> => sql`
  select distinct k.* from jsonb_to_recordset(${jsonb(keys)}) as k
    (server_id bigint, datastore_name text, namespace text, backup_type text, backup_id text)`
