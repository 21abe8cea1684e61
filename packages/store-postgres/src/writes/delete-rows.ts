import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendChanges, deletedRow, identity } from '../change-log/append-changes.ts'
import type { Tables } from '../database/tables.ts'
import { tables } from '../tables/columns.ts'
import { deleteServers, leavingServers } from './delete-servers.ts'
import type { Writer } from './writer.ts'

/** Rows of main that an author deletes. */
export interface DeletedRows {
  readonly model: ModelName
  /** The condition that finds the rows `m`. */
  readonly where: RawBuilder<unknown>
  /** Their ids in the order in which the log has them; left out: it has them in any. */
  readonly order?: ReadonlyArray<number>
  readonly writer: Writer
}

/**
 * Deletes rows with an entry in the log for each, servers with all their child rows, which are not
 * counted in the returned number. Hold the locks of their scopes, or of the servers
 * (`Places.deletedServers`); recount the groups of snapshots afterwards.
 */
export async function deleteRows(db: Kysely<Tables>, { model, where, order, writer }: DeletedRows): Promise<number> {
  if (model === 'server') return await deleteServers(db, { servers: await leavingServers(db, where, order), writer })
  const place = order === undefined ? sql`0` : sql`array_position(${order}::bigint[], m.id)`
  const { rows } = await sql<{ deleted: number }>`
    with gone as (
      delete from ${sql.table(tables[model])} m where ${where}
      returning ${place} as place, ${identity(model, 'm')}, ${deletedRow(model, 'm')} as before, null::jsonb as after, null::jsonb as counts
    ), ordered as (
      select * from gone${order === undefined ? sql`` : sql` order by place`}
    ), logged as (${appendChanges('ordered', 'delete', model, { origin: writer.origin })})
    select count(*) as deleted from gone`.execute(db)
  return rows[0]?.deleted ?? 0
}

/** Deletes rows by their ids; the log has them in this order. */
export const deleteRowsById = (
  db: Kysely<Tables>,
  model: ModelName,
  { ids, writer }: { readonly ids: ReadonlyArray<number>; readonly writer: Writer },
): Promise<number> =>
  ids.length === 0
    ? Promise.resolve(0)
    : deleteRows(db, { model, where: sql`m.id = any(${ids}::bigint[])`, order: ids, writer })
