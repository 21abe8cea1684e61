import { Deliveries, SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sendWebhook } from './send-webhook.ts'

/** The ports that events are followed and sent with. */
export type DeliveryPorts = Deliveries | SettingsStore

/** Makes the deliveries of everything that was committed since. */
export const followEvents: Effect.Effect<void, StoreFailed, DeliveryPorts> = Effect.gen(function* () {
  const deliveries = yield* Deliveries
  while (yield* deliveries.follow()) yield* Effect.yieldNow()
}).pipe(Effect.withSpan('worker.followEvents'))

/** Sends deliveries until none is due. */
export const sendDue: Effect.Effect<void, StoreFailed, DeliveryPorts> = Effect.gen(function* () {
  const deliveries = yield* Deliveries
  const settings = yield* SettingsStore
  // Read for each attempt: a network that is allowed now helps the next one.
  const sendNext = deliveries.deliver((due) =>
    Effect.flatMap(Effect.either(settings.get()), (read) =>
      sendWebhook(due, { allowedNetworks: read._tag === 'Right' ? read.right.webhook_allowed_networks : [] }),
    ),
  )
  while (yield* sendNext) yield* Effect.yieldNow()
}).pipe(Effect.withSpan('worker.sendDue'))
