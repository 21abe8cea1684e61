import { type Delivery, type DeliveryAction, type DeliveryDetail, deliveryAllows, pauseAfter } from '@netbox-pbs/core'
import { Deliveries, type DeliveryFilter, type SecretBox } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { addTurns, deliveryQueue } from '../queue/delivery-queue.ts'
import { recordCount, recordSlice } from '../tables/record-list.ts'
import { deliverNext } from './deliver-next.ts'
import { followLog, webhooksBehind } from './follow-log.ts'
import { followRaised, hasRaised } from './follow-raised.ts'

/** When a failed attempt is repeated; see core's `pauseAfter`. */
export interface DeliveryOptions {
  readonly pause: typeof pauseAfter
}

/** Deliveries, and the followers that make them. */
export const deliveriesLayer: Layer.Layer<Deliveries, never, Database | SecretBox> = deliveriesLayerWith({
  pause: pauseAfter,
})

/** The same with other pauses. */
export function deliveriesLayerWith({ pause }: DeliveryOptions): Layer.Layer<Deliveries, never, Database | SecretBox> {
  return Layer.scoped(
    Deliveries,
    Effect.gen(function* () {
      const database = yield* Database
      const queue = yield* deliveryQueue(database)
      const deliver = yield* deliverNext({ database, queue, pause })

      /** Changes a delivery whose state allows it, logs the decision, and gives its line a turn. */
      const decide = Effect.fn(function* (
        { id, actor }: Parameters<(typeof Deliveries.Service)['retry']>[0],
        { action, set }: { readonly action: DeliveryAction; readonly set: RawBuilder<unknown> },
      ) {
        const boss = yield* queue.open
        return yield* database.transaction(`deciding on a delivery`, async (trx) => {
          const { rows } = await sql<{ state: Delivery['state']; line: string; title: string }>`
            select state, line, title from deliveries where id = ${id}::bigint for update`.execute(trx)
          const [before] = rows
          if (before === undefined || !deliveryAllows(before, action)) return Option.none()
          await sql`update deliveries set ${set} where id = ${id}::bigint`.execute(trx)
          await addTurns(boss, trx, [{ line: before.line }])
          const after = await detailOf(trx, id)
          if (after === undefined) throw new Error('a delivery vanished under its lock')
          await logOther(trx, {
            action: 'update',
            model: 'delivery',
            id,
            title: before.title,
            before: { state: before.state },
            after: { state: after.state },
            by: actor,
          })
          return Option.some(after)
        })
      })

      return Deliveries.of({
        list: Effect.fn('Deliveries.list')(({ filter, ...request }) =>
          database.query('reading the deliveries', async (db) => {
            const matching = where(filter)
            const own = { id: sql`d.id`, order: sql`d.id desc`, newestFirst: true }
            const { begin, order, limit, ...slice } = recordSlice(request, own)
            const count = await recordCount(db, slice, sql`from deliveries d ${matching}`)
            const { rows } = await sql<Delivery>`
              select ${listed} ${joined} ${matching} and ${begin} order by ${order} ${limit}`.execute(db)
            return { count, rows }
          }),
        ),
        get: Effect.fn('Deliveries.get')(({ id }) =>
          database.query('reading a delivery', async (db) => Option.fromNullable(await detailOf(db, id))),
        ),
        retry: Effect.fn('Deliveries.retry')((request) =>
          decide(request, {
            action: 'retry',
            set: sql`state = 'pending', ended = null, tries = 0, next_attempt = clock_timestamp()`,
          }),
        ),
        cancel: Effect.fn('Deliveries.cancel')((request) =>
          decide(request, {
            action: 'cancel',
            set: sql`state = 'cancelled', ended = clock_timestamp(), next_attempt = null`,
          }),
        ),
        follow: Effect.fn('Deliveries.follow')(function* () {
          const { behind, raised } = yield* database.query('looking for events', async (db) => ({
            behind: await webhooksBehind(db),
            raised: await hasRaised(db),
          }))
          if (behind.length === 0 && !raised) return false
          const boss = yield* queue.open
          let more = false
          if (raised) more = yield* database.transaction('following runs', (trx) => followRaised({ trx, boss }))
          for (const webhook of behind) {
            const step = database.transaction('following the change log', (trx) => followLog({ trx, boss }, webhook))
            more = (yield* step) || more
          }
          return more
        }),
        deliver,
      })
    }),
  )
}

const listed = sql`
  d.id, d.uuid, d.state, jsonb_build_object('id', d.webhook_id, 'name', w.name) as webhook,
  jsonb_build_object('id', d.rule_id, 'name', d.rule_name) as rule, d.event_type, d.object_type, d.object_id, d.title, d.request_id,
  d.attempts, d.created, d.last_attempt, d.next_attempt, d.ended, d.response_status, d.error`

const joined = sql`from deliveries d join webhooks w on w.id = d.webhook_id`

async function detailOf(db: Kysely<Tables>, id: number): Promise<DeliveryDetail | undefined> {
  const { rows } = await sql<DeliveryDetail>`
    select ${listed}, d.body, d.request, d.response_body ${joined} where d.id = ${id}::bigint`.execute(db)
  return rows[0]
}

function where(filter: DeliveryFilter): RawBuilder<unknown> {
  const { states, webhookIds, ruleIds, eventTypes, objectTypes, objectIds, requestIds, after, before } = filter
  const among = (column: string, type: string, values: ReadonlyArray<string | number> | undefined) =>
    values === undefined ? [] : [sql`${sql.ref(`d.${column}`)} = any(${values}::${sql.raw(type)}[])`]
  const conditions = [
    ...among('state', 'text', states),
    ...among('webhook_id', 'bigint', webhookIds),
    ...among('rule_id', 'bigint', ruleIds),
    ...among('event_type', 'text', eventTypes),
    ...among('object_type', 'text', objectTypes),
    ...among('object_id', 'bigint', objectIds),
    ...among('request_id', 'uuid', requestIds),
    ...(after === undefined ? [] : [sql`d.created >= ${after}::timestamptz`]),
    ...(before === undefined ? [] : [sql`d.created <= ${before}::timestamptz`]),
  ]
  return sql`where ${sql.join([sql`true`, ...conditions], sql` and `)}`
}
