import type { Retained } from '@netbox-pbs/core'
import { Retention, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { purge } from '../change-sets/parts.ts'
import { Database } from '../database/database.ts'
import { analyzeAll } from '../database/statistics.ts'
import type { Tables } from '../database/tables.ts'
import { judgeJobs } from '../writes/job-health.ts'

/**
 * Maximum number of rows in one statement: the embedded engine serves no one else during a
 * statement.
 */
const rowsAtOnce = { pglite: 1000, pg: 5000 } as const

/** Removes old records from the tables. */
export const retentionLayer: Layer.Layer<Retention, never, Database> = Layer.unwrapEffect(
  Effect.map(Database, ({ engine }) => retentionLayerWith({ limit: rowsAtOnce[engine] })),
)

/** The same, with another maximum number of rows per statement. */
export function retentionLayerWith({ limit }: { readonly limit: number }): Layer.Layer<Retention, never, Database> {
  return Layer.effect(
    Retention,
    Effect.map(Database, (database) =>
      Retention.of({
        prune: Effect.fn('Retention.prune')(({ what, before }) => prunes[what](database, { before, limit })),

        clearStaged: Effect.fn('Retention.clearStaged')(() => purge(database)),

        refreshStatistics: Effect.fn('Retention.refreshStatistics')(() => analyzeAll(database)),

        takeTurn: Effect.fn('Retention.takeTurn')(function* ({ now, until, latest }) {
          const { rows } = yield* database.query('taking the turn to remove old records', (db) =>
            sql<{ turn: number }>`
              update retention_turns set turn = turn + 1, held_until = ${until}::timestamptz
              where (due <= ${now}::timestamptz or due > ${latest}::timestamptz)
                and (held_until is null or held_until <= ${now}::timestamptz or held_until > ${latest}::timestamptz)
              returning turn`.execute(db),
          )
          return Option.map(Option.fromNullable(rows[0]), ({ turn }) => turn)
        }),

        keepTurn: Effect.fn('Retention.keepTurn')(function* ({ turn, until }) {
          const { rows } = yield* database.query('keeping the turn to remove old records', (db) =>
            sql`
              update retention_turns set held_until = ${until}::timestamptz where turn = ${turn}::bigint
              returning turn`.execute(db),
          )
          return rows.length > 0
        }),

        endTurn: Effect.fn('Retention.endTurn')(function* ({ turn, due }) {
          yield* database.query('ending the turn to remove old records', (db) =>
            sql`
              update retention_turns set held_until = null, due = ${due}::timestamptz
              where turn = ${turn}::bigint`.execute(db),
          )
        }),
      }),
    ),
  )
}

/** The number of rows that one part has removed, and whether there may be more. */
interface Pruned {
  readonly removed: number
  readonly more: boolean
}

/** Removes at most `limit` rows of any table in one statement. */
type Prune = (
  database: Database['Type'],
  part: { readonly before: string; readonly limit: number },
) => Effect.Effect<Pruned, StoreFailed>

const operation = 'removing old records'

const timestamp = (before: string): RawBuilder<unknown> => sql`${before}::timestamptz`
const day = (before: string): RawBuilder<unknown> => sql`(${before}::timestamptz at time zone 'UTC')::date`

/** Removes the oldest rows of a table; `key` identifies a row, and `before` is the limit in the type of `age`. */
const oldestOf =
  (
    name: string,
    {
      key,
      age,
      before,
    }: {
      readonly key: RawBuilder<unknown>
      readonly age: RawBuilder<unknown>
      readonly before: (time: string) => RawBuilder<unknown>
    },
  ): Prune =>
  (database, part) =>
    database.query(operation, async (db) => {
      const table = sql.table(name)
      const { numAffectedRows } = await sql`
        delete from ${table} where (${key}) in (
          select ${key} from ${table} where ${age} < ${before(part.before)} order by ${age}, ${key} limit ${part.limit}::bigint
        )`.execute(db)
      const removed = Number(numAffectedRows ?? 0n)
      return { removed, more: removed === part.limit }
    })

/** How a part of each kind is removed. */
const prunes: Readonly<Record<Retained, Prune>> = {
  changes: oldestOf('changes', { key: sql`id`, age: sql`time`, before: timestamp }),

  costs: oldestOf('server_costs', { key: sql`server_id, day`, age: sql`day`, before: day }),

  tasks: (database, part) => pruneTasks(database, part),

  deliveries: oldestOf('deliveries', { key: sql`id`, age: sql`ended`, before: timestamp }),

  // Open findings have no such time.
  findings: oldestOf('findings', { key: sql`id`, age: sql`closed`, before: timestamp }),

  // Tags and custom fields of rows that did not return.
  detached: oldestOf('detached_values', {
    key: sql`server_id, model, datastore_name, namespace, job_type, hash`,
    age: sql`since`,
    before: timestamp,
  }),

  runs: (database, { before, limit }) =>
    database.query(operation, async (db) => {
      const ids = await oldRuns(db, before)
      if (ids.length === 0) return { removed: 0, more: false }
      for (const { table, key } of runChildren) {
        const name = sql.table(table)
        const columns = sql`run_id, ${sql.ref(key)}`
        const { numAffectedRows } = await sql`
          delete from ${name} where (${columns}) in (
            select ${columns} from ${name} where run_id = any(${ids}::bigint[]) limit ${limit}::bigint
          )`.execute(db)
        // A run may have more rows than one statement removes: it stays until the last of them is
        // removed.
        if (Number(numAffectedRows ?? 0n) === limit) return { removed: 0, more: true }
      }
      const { numAffectedRows } = await sql`delete from runs where id = any(${ids}::bigint[])`.execute(db)
      return { removed: Number(numAffectedRows ?? 0n), more: ids.length === runsAtOnce }
    }),
}

/** Runs of one part. */
const runsAtOnce = 50

/** The tables whose rows are removed with a run, and the columns that identify their rows of one run. */
const runChildren = [
  { table: 'run_scopes', key: 'scope_key' },
  { table: 'run_warnings', key: 'digest' },
  { table: 'run_jobs', key: 'server_id' },
] as const

/** The runs that ended longest ago; an open run has no end. */
async function oldRuns(db: Kysely<Tables>, before: string): Promise<ReadonlyArray<number>> {
  const { rows } = await sql<{ id: number }>`
    select id from runs where completed < ${before}::timestamptz order by completed, id limit ${runsAtOnce}`.execute(db)
  return rows.map(({ id }) => id)
}

/**
 * Removes tasks that started before a time (RFC 3339), the oldest first and at most `limit` in one
 * statement; returns their number and whether there may be more. Running tasks stay, because their
 * end is not read yet; the jobs whose runs they were are judged without them; the change log does not record the removal.
 */
export const pruneTasks = (
  database: Database['Type'],
  { before, limit }: { readonly before: string; readonly limit: number },
): Effect.Effect<Pruned, StoreFailed> =>
  database.transaction('removing old tasks', async (trx) => {
    const { rows } = await sql<{ removed: number; judged: ReadonlyArray<number>; at: string }>`
      with removed as (
        delete from tasks where id in (
          select id from tasks where starttime < ${before}::timestamptz and outcome <> 'running'
          order by starttime, id limit ${limit}::bigint
        ) returning server_id, job_type
      )
      select count(*) as removed, now() as at,
        coalesce(jsonb_agg(distinct server_id) filter (where job_type <> ''), '[]') as judged from removed`.execute(trx)
    const [{ removed, judged, at } = { removed: 0, judged: [], at: '' }] = rows
    await judgeJobs(trx, judged, at)
    return { removed, more: removed === limit }
  })
