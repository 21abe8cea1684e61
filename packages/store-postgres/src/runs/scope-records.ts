import { scopeKey } from '@netbox-pbs/core'
import type { Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { jobName } from './job-records.ts'
import { type ScopeRow, toScopeResult } from './run-row.ts'

type Port = typeof Runs.Service

/** The scopes of a run as they end, and how far its jobs have read. */
export function scopeRecords(database: typeof Database.Service): Pick<Port, 'recordScope' | 'progress' | 'scopes'> {
  return {
    recordScope: Effect.fn('Runs.recordScope')(function* ({ id, server, result }) {
      const { scope, outcome, reason, counts, started, ended } = result
      const key = scopeKey(scope)
      yield* database.transaction('recording a scope', (run) =>
        Effect.gen(function* () {
          // Shared, so that jobs do not wait for each other; a run that is over stays as it is.
          const { rows: open } = yield* run((db) =>
            sql`
              select from runs
              where id = ${id}::bigint and status in ('pending', 'running') for key share`.execute(db),
          )
          if (open.length === 0) return
          // What an earlier attempt recorded gives way, but what it landed has landed.
          yield* run((db) =>
            sql`
              delete from run_scopes
              where run_id = ${id}::bigint and scope_key = ${key}
                and not (${outcome}::text = 'unchanged' and outcome = 'landed')`.execute(db),
          )
          if (outcome === 'unchanged')
            yield* run((db) =>
              sql`
                insert into run_jobs (run_id, server, state, unchanged_scopes, unchanged_rows)
                select ${id}::bigint, ${jobName(server)}, 'running', 1, ${counts.unchanged}::bigint
                where not exists (select from run_scopes where run_id = ${id}::bigint and scope_key = ${key})
                on conflict (run_id, server) do update set
                  unchanged_scopes = run_jobs.unchanged_scopes + excluded.unchanged_scopes,
                  unchanged_rows = run_jobs.unchanged_rows + excluded.unchanged_rows`.execute(db),
            )
          else
            yield* run((db) =>
              sql`
                insert into run_scopes
                  (run_id, scope_key, scope, outcome, reason, created, updated, deleted, unchanged, held_back, started, ended)
                values (
                  ${id}::bigint, ${key}, ${JSON.stringify(scope)}::text::jsonb, ${outcome},
                  ${reason === null ? null : JSON.stringify(reason)}::text::jsonb,
                  ${counts.created}::bigint, ${counts.updated}::bigint, ${counts.deleted}::bigint,
                  ${counts.unchanged}::bigint, ${counts.held_back}::bigint,
                  ${started}::timestamptz, ${ended}::timestamptz
                )`.execute(db),
            )
        }),
      )
    }),

    progress: Effect.fn('Runs.progress')(function* ({ id, server, rowsRead }) {
      yield* database.query('noting how far a job is', (db) =>
        sql`
          update run_jobs set rows_read = ${rowsRead}::bigint
          where run_id = ${id}::bigint and server = ${jobName(server)}`.execute(db),
      )
    }),

    scopes: Effect.fn('Runs.scopes')(function* ({ id, limit, offset }) {
      const { rows: counted } = yield* database.query('counting the scopes of a run', (db) =>
        sql<{ count: number }>`select count(*) as count from run_scopes where run_id = ${id}::bigint`.execute(db),
      )
      const { rows } = yield* database.query('reading the scopes of a run', (db) =>
        sql<ScopeRow>`
          select scope, outcome, reason, created, updated, deleted, unchanged, held_back, started, ended
          from run_scopes where run_id = ${id}::bigint
          order by seq limit ${limit}::bigint offset ${offset}::bigint`.execute(db),
      )
      return { count: counted[0]?.count ?? 0, rows: rows.map(toScopeResult) }
    }),
  }
}
