import type { Deliveries, EventRules, SecretBox, Webhooks } from '@netbox-pbs/core/ports'
import { Layer } from 'effect'
import type { Database } from '../database/database.ts'
import { deliveriesLayer } from './deliveries.ts'
import { eventRulesLayer } from './event-rules.ts'
import { webhooksLayer } from './webhooks.ts'

/** Webhooks, event rules, and what is sent by them. */
export const eventsLayer: Layer.Layer<Deliveries | EventRules | Webhooks, never, Database | SecretBox> = Layer.mergeAll(
  deliveriesLayer,
  eventRulesLayer,
  webhooksLayer,
)
