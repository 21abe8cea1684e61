import { Retention } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { analyzeAll } from '../database/statistics.ts'
import { prunes } from './prune.ts'

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
