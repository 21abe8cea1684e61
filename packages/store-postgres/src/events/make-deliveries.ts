import {
  type EventRuleMatch,
  isAbout,
  type LoggedValues,
  maxPayloadBytes,
  payloadOf,
  type RaisedEvent,
} from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { PgBoss } from 'pg-boss'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { addTurns } from '../queue/delivery-queue.ts'

/** A rule as events are judged by it, and the webhook that it sends. */
export interface FollowingRule extends EventRuleMatch {
  readonly id: number
  readonly name: string
  readonly webhookId: number
  readonly action_data: LoggedValues | null
}

/** What happened, in the words of the first of several that a rule is about. */
export interface Happening {
  readonly events: ReadonlyArray<RaisedEvent>
  /** The object's place in the order of deliveries. */
  readonly place: string
  /** Which rules look at it. */
  readonly rules: ReadonlyArray<FollowingRule>
}

/** Inserts the deliveries that rules ask for, with a turn for each of their lines, in a transaction. */
export async function makeDeliveries(
  { trx, boss }: { readonly trx: Kysely<Tables>; readonly boss: PgBoss },
  happenings: ReadonlyArray<Happening>,
): Promise<void> {
  const made = happenings.flatMap(({ events, place, rules }) =>
    rules.flatMap((rule) => {
      const event = events.find((one) => isAbout(rule, one))
      return event === undefined ? [] : [deliveryOf(rule, event, place)]
    }),
  )
  if (made.length === 0) return
  await sql`
    insert into deliveries (webhook_id, rule_id, rule_name, event_type, object_type, object_id, title, request_id, line, body, state, next_attempt, ended, error)
    select d.webhook_id, d.rule_id, d.rule_name, d.event_type, d.object_type, d.object_id, d.title, d.request_id, d.line, d.body,
      case when d.error = '' then 'pending' else 'failed' end, case when d.error = '' then clock_timestamp() end,
      case when d.error <> '' then clock_timestamp() end, d.error
    from jsonb_to_recordset(${jsonb(made.map((one, nth) => ({ ...one, nth })))}) as d (webhook_id bigint, rule_id bigint, rule_name text, event_type text, object_type text,
      object_id bigint, title text, request_id uuid, line text, body text, error text, nth bigint)
    order by d.nth`.execute(trx)
  const lines = [...new Set(made.filter(({ error }) => error === '').map(({ line }) => line))]
  await addTurns(
    boss,
    trx,
    lines.map((line) => ({ line })),
  )
}

function deliveryOf(rule: FollowingRule, event: RaisedEvent, place: string) {
  const body = JSON.stringify(payloadOf(event, rule.action_data))
  const isTooLarge = Buffer.byteLength(body) > maxPayloadBytes
  return {
    webhook_id: rule.webhookId,
    rule_id: rule.id,
    rule_name: rule.name,
    event_type: event.type,
    object_type: event.objectType,
    object_id: event.objectId,
    title: event.title,
    request_id: event.requestId,
    // Deliveries of one line are sent one after the other.
    line: `${rule.webhookId}/${event.objectType}/${place}`,
    body: isTooLarge ? '' : body,
    error: isTooLarge ? `The payload is larger than ${maxPayloadBytes} bytes.` : '',
  }
}
