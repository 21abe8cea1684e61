import { Findings } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'

/** No findings: for a worker whose test is about something else. */
export const noFindings: Layer.Layer<Findings> = Layer.succeed(
  Findings,
  Findings.of({
    evaluate: () => Effect.succeed(Option.none()),
    list: () => Effect.succeed({ count: 0, rows: [] }),
    get: () => Effect.succeed(Option.none()),
    snooze: () => Effect.succeed(Option.none()),
  }),
)
