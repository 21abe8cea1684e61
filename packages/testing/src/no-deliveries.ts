import { Deliveries } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'

/** No events: for a worker whose test is about something else. */
export const noDeliveries: Layer.Layer<Deliveries> = Layer.succeed(
  Deliveries,
  Deliveries.of({
    list: () => Effect.succeed({ count: 0, rows: [] }),
    get: () => Effect.succeed(Option.none()),
    retry: () => Effect.succeed(Option.none()),
    cancel: () => Effect.succeed(Option.none()),
    follow: () => Effect.succeed(false),
    deliver: () => Effect.succeed(false),
  }),
)
