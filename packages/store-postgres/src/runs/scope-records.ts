import type { Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { jobServer } from './job-records.ts'
import { recordScope, recordUnopened } from './record-scope.ts'
import { type ScopeRow, toScopeResult } from './run-row.ts'

type Port = typeof Runs.Service

/** The scopes of a run as they end, and how far its jobs have read. */
export function scopeRecords(
  database: typeof Database.Service,
): Pick<Port, 'recordScope' | 'recordUnopened' | 'progress' | 'scopes'> {
  return {
    recordScope: Effect.fn('Runs.recordScope')((request) =>
      database.transaction('recording a scope', (trx) => recordScope(trx, request)),
    ),

    recordUnopened: Effect.fn('Runs.recordUnopened')((request) =>
      database.transaction('recording scopes', (trx) => recordUnopened(trx, request)),
    ),

    progress: Effect.fn('Runs.progress')(function* ({ id, serverId, rowsRead }) {
      yield* database.query('noting how far a job is', (db) =>
        sql`
          update run_jobs set rows_read = ${rowsRead}::bigint
          where run_id = ${id}::bigint and server_id = ${jobServer(serverId)}`.execute(db),
      )
    }),

    scopes: Effect.fn('Runs.scopes')(({ id, limit, offset }) =>
      database.query('reading the scopes of a run', async (db) => {
        const { rows: counted } = await sql<{ count: number }>`
          select count(*) as count from run_scopes where run_id = ${id}::bigint`.execute(db)
        const { rows } = await sql<ScopeRow>`
          select case when n.name is null then s.scope else jsonb_set(s.scope, '{server}', to_jsonb(n.name)) end as scope,
            s.outcome, s.reason, s.created, s.updated, s.deleted, s.unchanged, s.held_back, s.started, s.ended
          from run_scopes s left join server_names n on n.server_id = s.server_id where s.run_id = ${id}::bigint
          order by s.seq limit ${limit}::bigint offset ${offset}::bigint`.execute(db)
        return { count: counted[0]?.count ?? 0, rows: rows.map(toScopeResult) }
      }),
    ),
  }
}
