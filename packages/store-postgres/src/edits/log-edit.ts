import type { Actor, ModelName } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { appendChanges, differingMembers, identity } from '../change-log/append-changes.ts'
import { wholeRow } from '../change-log/logged-fields.ts'
import type { Tables } from '../database/tables.ts'
import { tables } from '../tables/columns.ts'
import { hasChildRows } from '../writes/delete-servers.ts'

/** A row before it is written. */
export interface LockedRow {
  /** The log's record of the row as JSON text, which keeps every digit. */
  readonly row: string
  /** Its `last_updated`, RFC 3339. */
  readonly version: string
}

/**
 * Locks a row until the end of the transaction and reads it; null: there is none. Child rows can
 * still be created.
 */
export async function lockLogged(db: Kysely<Tables>, model: ModelName, id: number): Promise<LockedRow | null> {
  const { rows } = await sql<LockedRow>`
    select ${wholeRow(model, 'm')}::text as row, m.last_updated as version from ${sql.table(tables[model])} m
    where m.id = ${id}::bigint for no key update`.execute(db)
  return rows[0] ?? null
}

/** An object, and the request that writes it. */
interface Written {
  readonly model: ModelName
  readonly id: number
  readonly actor: Actor
}

/**
 * Logs what a user has changed of a row since `before`; nothing when nothing differs. A later
 * change of the same object in the same request updates its entry, unless another user has changed
 * the row in between.
 */
export async function logEdit(db: Kysely<Tables>, { model, id, actor }: Written, before: string) {
  const earlier = await earlierEntry(db, { model, id, actor })
  const first = sql`(${before}::text::jsonb || coalesce(${earlier?.before ?? null}::text::jsonb, '{}'))`
  const now = sql`select ${identity(model, 'm')}, ${wholeRow(model, 'm')} as row from ${sql.table(tables[model])} m where m.id = ${id}::bigint`
  if (earlier?.action === 'create') {
    await sql`update changes e set after = n.row, title = n.title from (${now}) n where e.id = ${earlier.id}::bigint`.execute(
      db,
    )
    return
  }
  if (earlier !== null) await sql`delete from changes where id = ${earlier.id}::bigint`.execute(db)
  await sql`
    with now as (${now}), touched as (
      select n.id, n.server_id, n.title, ${differingMembers(first, sql`n.row`)} as before,
        ${differingMembers(sql`n.row`, first)} as after, null::jsonb as counts
      from now n
    ) ${appendChanges('touched', 'update', model, { origin: actor, where: sql`c.before is not null` })}`.execute(db)
}

/**
 * Removes the entry of a row that the same request created and now takes back; false: there is no
 * such entry, or the row was changed or got a child row since.
 */
export async function discardCreated(db: Kysely<Tables>, { model, id, actor }: Written): Promise<boolean> {
  const earlier = await earlierEntry(db, { model, id, actor })
  if (earlier?.action !== 'create' || (model === 'server' && (await hasChildRows(db, id)))) return false
  await sql`delete from changes where id = ${earlier.id}::bigint`.execute(db)
  return true
}

/**
 * Merges the request's earlier change of a row into the deletion by the same request: the deletion
 * records the row from before the change. This does not apply if another user has changed the row
 * in between.
 */
export async function foldIntoDeletion(db: Kysely<Tables>, { model, id, actor }: Written): Promise<void> {
  const ofRow = sql`request_id = ${actor.requestId}::uuid and model = ${model} and object_id = ${id}::bigint`
  await sql`
    with u as (
      delete from changes e where ${ofRow} and action = 'update' and not exists (
        select from changes l where l.model = e.model and l.object_id = e.object_id and l.id > e.id and l.request_id is distinct from e.request_id
      ) returning before
    )
    update changes set before = changes.before || u.before from u where ${ofRow} and action = 'delete'`.execute(db)
}

interface Earlier {
  readonly id: number
  readonly action: 'create' | 'update'
  /** JSON. */
  readonly before: string | null
}

/**
 * The request's entry for the object so far, if no other change of the object has been logged
 * since.
 */
async function earlierEntry(db: Kysely<Tables>, { model, id, actor }: Written): Promise<Earlier | null> {
  const { rows } = await sql<Earlier>`
    select e.id, e.action, e.before::text as before from changes e
    where e.request_id = ${actor.requestId}::uuid and e.model = ${model} and e.object_id = ${id}::bigint and e.action <> 'delete'
      and not exists (select from changes l where l.model = e.model and l.object_id = e.object_id and l.id > e.id)`.execute(
    db,
  )
  return rows[0] ?? null
}
