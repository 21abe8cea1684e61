import { keptResponse, type pauseAfter, readHeaders, type WebhookMethod } from '@netbox-pbs/core'
import { type AttemptOutcome, type Deliveries, type DueDelivery, SecretBox } from '@netbox-pbs/core/ports'
import { Effect, Exit, Option, Random, type Redacted } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { PgBoss } from 'pg-boss'
import type { Database } from '../database/database.ts'
import { storable } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { addTurns, type ClaimedTurn, type DeliveryQueue } from '../queue/delivery-queue.ts'
import { secretPurpose } from './webhooks.ts'

/** What sends the deliveries. */
interface Sending {
  readonly database: typeof Database.Service
  readonly queue: DeliveryQueue
  readonly pause: typeof pauseAfter
}

/** The `deliver` of the port: a turn of a line is taken, its oldest open delivery is sent, and the outcome is recorded. */
export const deliverNext = ({
  database,
  queue,
  pause,
}: Sending): Effect.Effect<(typeof Deliveries.Service)['deliver'], never, SecretBox> =>
  Effect.map(SecretBox, (box) => {
    const sealedSecret = (sealed: string) =>
      sealed === ''
        ? Effect.succeed(Option.none<Redacted.Redacted<string>>())
        : // checkSecretKey has reported a wrong key at the start.
          Effect.map(Effect.orDie(box.open({ sealed, purpose: secretPurpose })), Option.some)

    return Effect.fn('Deliveries.deliver')(<R>(send: (due: DueDelivery) => Effect.Effect<AttemptOutcome, never, R>) =>
      // An interrupted claim may still have taken the turn, and no worker would have it.
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const claimed = yield* queue.claim
          if (Option.isNone(claimed)) return false
          const turn = claimed.value
          const boss = yield* queue.open
          const exit = yield* Effect.exit(
            Effect.gen(function* () {
              const begun = yield* database.query('beginning a delivery', (db) => begin(db, turn.line))
              if (begun === null) return
              const { sealed, ...about } = begun
              const due = { ...about, secret: yield* sealedSecret(sealed) }
              const outcome = yield* restore(send(due))
              const seconds = outcome.final ? null : pause(begun.tries, yield* Random.next)
              yield* database.transaction('recording a delivery', (trx) =>
                record({ trx, boss }, { turn, begun, outcome, seconds }),
              )
            }),
          )
          // A turn that failed comes again: its delivery is still due.
          yield* Exit.isSuccess(exit) ? queue.complete(turn) : queue.giveBack(turn)
          return yield* Effect.as(exit, true)
        }),
      ),
    )
  })

interface Begun extends Omit<DueDelivery, 'secret'> {
  /** Attempts since it was made, or since a user asked for them again. */
  readonly tries: number
  /** Empty: requests are not signed. */
  readonly sealed: string
}

/**
 * Counts an attempt of the oldest open delivery of a line, when it is due. The webhook is sent as it
 * is now, so that a corrected address helps deliveries that wait.
 */
async function begin(db: Kysely<Tables>, line: string): Promise<Begun | null> {
  const { rows } = await sql<
    Omit<Begun, 'headers'> & { readonly additional_headers: string; readonly method: WebhookMethod }
  >`
    update deliveries d set attempts = d.attempts + 1, tries = d.tries + 1, last_attempt = clock_timestamp(),
      request = jsonb_build_object('method', w.http_method, 'url', w.payload_url, 'content_type', w.http_content_type)
    from webhooks w
    where w.id = d.webhook_id and d.next_attempt <= clock_timestamp()
      and d.id = (select f.id from deliveries f where f.line = ${line} and f.state = 'pending' order by f.id limit 1)
    returning d.id, d.uuid, d.attempts as attempt, d.tries, d.body, w.secret as sealed, w.http_method as method, w.payload_url as url,
      w.http_content_type as content_type, w.additional_headers, w.ssl_verification`.execute(db)
  const [row] = rows
  if (row === undefined) return null
  const { additional_headers, ...begun } = row
  const headers = readHeaders(additional_headers)
  return { ...begun, headers: typeof headers === 'string' ? [] : headers }
}

/** An attempt that has ended. `seconds`: the pause before the next one; null: none follows. */
interface Ended {
  readonly turn: ClaimedTurn
  readonly begun: Begun
  readonly outcome: AttemptOutcome
  readonly seconds: number | null
}

/** Records the outcome, unless the delivery was cancelled or begun again during the attempt, and gives the line its next turn. */
async function record(
  { trx, boss }: { readonly trx: Kysely<Tables>; readonly boss: PgBoss },
  { turn, begun, outcome, seconds }: Ended,
): Promise<void> {
  const state = outcome.delivered ? 'delivered' : seconds === null ? 'failed' : 'pending'
  const told = sql`response_status = ${outcome.status}::integer, response_body = ${storable(outcome.response.slice(0, keptResponse))},
    error = ${storable(outcome.error)}`
  const ends = state === 'pending' ? sql`null` : sql`clock_timestamp()`
  const next =
    state === 'pending' ? sql`clock_timestamp() + ${seconds}::double precision * interval '1 second'` : sql`null`
  await sql`
    update deliveries set state = ${state}, ended = ${ends}, next_attempt = ${next}, ${told}
    where id = ${begun.id}::bigint and state = 'pending' and attempts = ${begun.attempt}`.execute(trx)
  const { rows } = await sql<{ at: string }>`
    select next_attempt as at from deliveries where line = ${turn.line} and state = 'pending' order by id limit 1`.execute(
    trx,
  )
  await addTurns(
    boss,
    trx,
    rows.map(({ at }) => ({ line: turn.line, at })),
  )
}
