import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option, type Scope } from 'effect'
import { CompiledQuery, type Kysely } from 'kysely'
import type { PgBoss } from 'pg-boss'
import { z } from 'zod'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { deliveryQueueName, openBoss } from './boss.ts'
import { fetchJob } from './fetch-job.ts'

/** A turn of a line: its oldest open delivery is looked at. */
export interface LineTurn {
  readonly line: string
  /** RFC 3339; left out: now. */
  readonly at?: string
}

/** A turn that this worker has; no other has one of the same line. */
export interface ClaimedTurn {
  readonly line: string
  readonly id: string
  /** pg-boss' number of the attempt. */
  readonly retryCount: number
}

/** The turns of lines, as jobs of pg-boss. A turn too many finds nothing to do. */
export interface DeliveryQueue {
  /** To be called before a transaction that adds turns. */
  readonly open: Effect.Effect<PgBoss, StoreFailed>
  readonly claim: Effect.Effect<Option.Option<ClaimedTurn>, StoreFailed>
  readonly complete: (turn: ClaimedTurn) => Effect.Effect<void, StoreFailed>
  /** Gives a turn back: it comes again in a second. */
  readonly giveBack: (turn: ClaimedTurn) => Effect.Effect<void, StoreFailed>
}

const StoredTurn = z.object({ line: z.string() })

/** Opens with its first use. It looks for no lost workers: the queue of sync jobs does that for both. */
export const deliveryQueue = Effect.fn('deliveryQueue')(function* (
  database: typeof Database.Service,
): Effect.fn.Return<DeliveryQueue, never, Scope.Scope> {
  const boss = yield* openBoss(database, { superviseSeconds: null })
  // pg-boss reads a queue's row when it is first named, on a connection of its own: on the embedded engine that
  // would wait for a transaction which adds turns.
  const open = Effect.tap(boss, (opened) =>
    database.query('opening the queue', () => opened.insert(deliveryQueueName, [])),
  )
  const use = <A>(operation: string, call: (boss: PgBoss) => Promise<A>): Effect.Effect<A, StoreFailed> =>
    Effect.flatMap(boss, (opened) => database.query(operation, () => call(opened)))
  const attemptOf = ({ id, retryCount }: ClaimedTurn) => ({ id, retryCount })
  return {
    open,
    claim: Effect.map(
      use('taking a delivery', (opened) => fetchJob(opened, database.driver, deliveryQueueName)),
      Option.map(({ id, data, retryCount }) => ({ id, retryCount, line: StoredTurn.parse(data).line })),
    ),
    complete: (turn) =>
      Effect.asVoid(use('completing a delivery', (opened) => opened.complete(deliveryQueueName, attemptOf(turn)))),
    giveBack: (turn) =>
      Effect.asVoid(use('giving a delivery back', (opened) => opened.fail(deliveryQueueName, attemptOf(turn)))),
  }
})

/** Adds turns in a transaction: they are there when it commits. */
export async function addTurns(boss: PgBoss, trx: Kysely<Tables>, turns: ReadonlyArray<LineTurn>): Promise<void> {
  if (turns.length === 0) return
  const jobs = turns.map(({ line, at }) => ({
    data: { line },
    singletonKey: line,
    ...(at === undefined ? {} : { startAfter: at }),
  }))
  const db = {
    executeSql: async (text: string, values: ReadonlyArray<unknown> = []) => {
      const { rows } = await trx.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text, [...values]))
      return { rows }
    },
  }
  await boss.insert(deliveryQueueName, jobs, { db })
}
