import {
  type Delivery as CoreDelivery,
  type DeliveryDetail as CoreDetail,
  deliveryStateNames,
  eventObjectTypes,
  eventTypes,
} from '@netbox-pbs/core'
import type { DeliveryFilter } from '@netbox-pbs/core/ports'
import { z } from 'zod'
import { deliveriesPath, eventRulesPath } from '../rest/links.ts'
import { choices, numbers, recordFilter, timestamp, uuids } from '../rest/read-filter.ts'
import { choice } from '../rest/row.ts'
import { eventTypeChoice } from './event-rule.ts'
import { choiceOf, reference, time } from './fields.ts'
import { webhookUrl } from './webhook.ts'

/** What a webhook is sent of one event. */
export const Delivery = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  uuid: z.uuid().describe('The header X-Hook-Delivery, the same in each attempt.'),
  state: choiceOf(deliveryStateNames),
  webhook: reference,
  event_rule: z.object({ id: z.int().nullable(), url: z.url().nullable(), display: z.string() }),
  event_type: choiceOf(eventTypes),
  object_type: z.string(),
  object_id: z.int().nullable().describe('Null: rows that a run created in one scope.'),
  object_repr: z.string(),
  request_id: z.uuid().nullable(),
  attempts: z.int(),
  last_attempt: time.nullable(),
  next_attempt: time.nullable().describe('Earlier deliveries of the object to the webhook come first.'),
  ended: time.nullable(),
  response_status: z.int().nullable(),
  error: z.string().describe('Why the last attempt failed; empty: it did not.'),
  created: time,
})

/** The same with what was sent and what came back. */
export const DeliveryDetail = Delivery.extend({
  request: z
    .object({ method: z.string(), target: z.string(), content_type: z.string() })
    .nullable()
    .describe('The last attempt; null: there was none. Headers that a user added are left out.'),
  body: z.string().describe('The text that is sent and signed.'),
  response_body: z.string().describe('The first characters of the last response.'),
})

/** The filters of the list of deliveries. */
export const deliveryFilter = recordFilter<DeliveryFilter>(Delivery, {
  parameters: {
    states: choices('state', deliveryStateNames),
    webhookIds: numbers('webhook_id'),
    ruleIds: numbers('event_rule_id'),
    eventTypes: choices('event_type', eventTypes),
    objectTypes: choices('object_type', eventObjectTypes),
    objectIds: numbers('object_id'),
    requestIds: uuids('request_id'),
    after: timestamp('created_after'),
    before: timestamp('created_before'),
  },
})

/** A delivery as REST answers it in a list. */
export const servedDelivery = (base: string, delivery: CoreDelivery): z.infer<typeof Delivery> => ({
  id: delivery.id,
  url: `${base}${deliveriesPath}${delivery.id}/`,
  display: `${eventTypeChoice(delivery.event_type).label}: ${delivery.title}`,
  uuid: delivery.uuid,
  state: choice(delivery.state),
  webhook: {
    id: delivery.webhook.id,
    url: webhookUrl(base, delivery.webhook.id),
    display: delivery.webhook.name,
  },
  event_rule: {
    id: delivery.rule.id,
    url: delivery.rule.id === null ? null : `${base}${eventRulesPath}${delivery.rule.id}/`,
    display: delivery.rule.name,
  },
  event_type: eventTypeChoice(delivery.event_type),
  object_type: delivery.object_type,
  object_id: delivery.object_id,
  object_repr: delivery.title,
  request_id: delivery.request_id,
  attempts: delivery.attempts,
  last_attempt: delivery.last_attempt,
  next_attempt: delivery.next_attempt,
  ended: delivery.ended,
  response_status: delivery.response_status,
  error: delivery.error,
  created: delivery.created,
})

/** A delivery as REST answers it by itself. */
export const servedDeliveryDetail = (base: string, delivery: CoreDetail): z.infer<typeof DeliveryDetail> => ({
  ...servedDelivery(base, delivery),
  // Not named `url`: clients of NetBox would follow it with their token.
  request:
    delivery.request === null
      ? null
      : {
          method: delivery.request.method,
          target: delivery.request.url,
          content_type: delivery.request.content_type,
        },
  body: delivery.body,
  response_body: delivery.response_body,
})
