import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'

/** The id that the change log has reached, also by transactions that still run. */
export const reachedChange = sql<number>`(select case when is_called then last_value else 0 end from changes_id_seq)`

/**
 * The highest id below which no entry can be added any more: the end of the log, or the lowest id
 * that a running transaction has announced (migration 0017). The log is read first, because a
 * transaction that announces itself later takes higher ids.
 */
export async function horizon(db: Kysely<Tables>): Promise<number> {
  const { rows: log } = await sql<{ id: number }>`
    select ${reachedChange} as id`.execute(db)
  const { rows: running } = await sql<{ id: number | null }>`
    select min(((l.classid::bigint & 65535) << 32) + l.objid::bigint) as id from pg_locks l
    where l.locktype = 'advisory' and l.objsubid = 2 and l.classid::bigint >> 16 = 20546
      and l.database = (select d.oid from pg_database d where d.datname = current_database())`.execute(db)
  const reached = log[0]?.id ?? 0
  return Math.min(reached, running[0]?.id ?? reached)
}
