import type { Scope, ScopeResult } from '@netbox-pbs/core'
import type { Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { andSeen, seenServers } from '../database/seen-servers.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { placeKey, scopePlace } from '../scopes/scope-place.ts'
import { jobServer } from './job-records.ts'
import { isOpenRun, type ScopeRow, toScopeResult } from './run-row.ts'

/** The end of a scope in a run, by a job of the server. */
interface EndedScope {
  readonly id: number
  /** Null: the gateway's job. */
  readonly serverId: number | null
  readonly result: ScopeResult
}

/**
 * The key of a scope in the records of a run. It knows the server by its id: a scope whose server
 * is renamed between two attempts is recorded once.
 */
const keyOf = (scope: Scope, serverId: number | null): string => placeKey(scopePlace(scope, serverId))

/**
 * Records a scope's end within a transaction, in place of the record of an earlier attempt; rows
 * that are staged again count once. A landed record outlives a later `unchanged`, and its rows keep
 * counting.
 */
export async function recordScope(db: Kysely<Tables>, { id, serverId, result }: EndedScope): Promise<void> {
  const { scope, outcome, reason, counts, started, ended } = result
  const key = keyOf(scope, serverId)
  if (!(await isOpen(db, id))) return
  const { rows: earlier } = await sql<{ created: number; updated: number; deleted: number }>`
    with earlier as (
      delete from run_scopes
      where run_id = ${id}::bigint and scope_key = ${key}
        and not (${outcome}::text = 'unchanged' and outcome = 'landed')
      returning *
    )
    select created, updated, deleted from earlier where outcome <> 'staged'`.execute(db)
  const landed = earlier[0] ?? { created: 0, updated: 0, deleted: 0 }
  if (outcome === 'unchanged')
    await sql`
      insert into run_jobs (run_id, server_id, state, unchanged_scopes, unchanged_rows)
      select ${id}::bigint, ${jobServer(serverId)}, 'running', 1, ${counts.unchanged}::bigint
      where not exists (select from run_scopes where run_id = ${id}::bigint and scope_key = ${key})
      on conflict (run_id, server_id) do update set
        unchanged_scopes = run_jobs.unchanged_scopes + excluded.unchanged_scopes,
        unchanged_rows = run_jobs.unchanged_rows + excluded.unchanged_rows`.execute(db)
  else
    await sql`
      insert into run_scopes
        (run_id, scope_key, server_id, scope, outcome, reason, created, updated, deleted, unchanged, held_back, started, ended)
      values (
        ${id}::bigint, ${key}, ${serverId}::bigint, ${JSON.stringify(scope)}::text::jsonb, ${outcome},
        ${reason === null ? null : JSON.stringify(reason)}::text::jsonb,
        ${landed.created + counts.created}::bigint, ${landed.updated + counts.updated}::bigint,
        ${landed.deleted + counts.deleted}::bigint, ${counts.unchanged}::bigint, ${counts.held_back}::bigint,
        ${started}::timestamptz, ${ended}::timestamptz
      )`.execute(db)
}

/** Shared, so that jobs do not wait for each other; a run that is over stays as it is. */
async function isOpen(db: Kysely<Tables>, id: number): Promise<boolean> {
  const { rows } = await sql`select from runs where id = ${id}::bigint and ${isOpenRun} for key share`.execute(db)
  return rows.length > 0
}

/**
 * Records the ends of scopes that were never opened, in one statement: a run that ends early may
 * leave a hundred thousand of them. Rows that an earlier attempt at the job landed in them keep
 * counting, as in {@link recordScope}.
 */
async function recordUnopened(
  db: Kysely<Tables>,
  { id, serverId, results }: Omit<EndedScope, 'result'> & { readonly results: ReadonlyArray<ScopeResult> },
): Promise<void> {
  const byKey = new Map(results.map(({ counts: _, ...result }) => [keyOf(result.scope, serverId), result]))
  const rows = [...byKey].map(([scope_key, result]) => ({ scope_key, ...result }))
  if (!(await isOpen(db, id))) return
  await sql`
    insert into run_scopes as s
      (run_id, scope_key, server_id, scope, outcome, reason, created, updated, deleted, unchanged, held_back, started, ended)
    select ${id}::bigint, r.scope_key, ${serverId}::bigint, r.scope, r.outcome, r.reason, 0, 0, 0, 0, 0, r.started, r.ended
    from jsonb_to_recordset(${jsonb(rows)}) as
      r (scope_key text, scope jsonb, outcome text, reason jsonb, started timestamptz, ended timestamptz)
    on conflict (run_id, scope_key) do update set
      seq = default, scope = excluded.scope, outcome = excluded.outcome, reason = excluded.reason,
      created = case when s.outcome = 'staged' then 0 else s.created end,
      updated = case when s.outcome = 'staged' then 0 else s.updated end,
      deleted = case when s.outcome = 'staged' then 0 else s.deleted end,
      unchanged = 0, held_back = 0, started = excluded.started, ended = excluded.ended`.execute(db)
}

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
      yield* database.query('recording the progress of a job', (db) =>
        sql`
          update run_jobs set rows_read = ${rowsRead}::bigint
          where run_id = ${id}::bigint and server_id = ${jobServer(serverId)}`.execute(db),
      )
    }),

    scopes: Effect.fn('Runs.scopes')(function* ({ id, limit, offset }) {
      const ofUser = andSeen(yield* seenServers, sql`s.server_id`)
      return yield* database.query('reading the scopes of a run', async (db) => {
        const { rows: counted } = await sql<{ count: number }>`
          select count(*) as count from run_scopes s where s.run_id = ${id}::bigint ${ofUser}`.execute(db)
        const { rows } = await sql<ScopeRow>`
          select case when n.name is null then s.scope else jsonb_set(s.scope, '{server}', to_jsonb(n.name)) end as scope,
            s.outcome, s.reason, s.created, s.updated, s.deleted, s.unchanged, s.held_back, s.started, s.ended
          from run_scopes s left join server_names n on n.server_id = s.server_id where s.run_id = ${id}::bigint ${ofUser}
          order by s.seq limit ${limit}::bigint offset ${offset}::bigint`.execute(db)
        return { count: counted[0]?.count ?? 0, rows: rows.map(toScopeResult) }
      })
    }),
  }
}
