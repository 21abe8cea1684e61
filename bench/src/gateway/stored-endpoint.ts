import { EndpointStore, GatewayKeys, type StoredEndpoint } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option, type Redacted } from 'effect'

const never = Effect.dieMessage('the benchmark changes no endpoint')

/** The gateway's ports with one endpoint and one key, so that no database is in its process. */
export const oneEndpoint = (
  endpoint: StoredEndpoint,
  secret: Redacted.Redacted<string>,
): Layer.Layer<EndpointStore | GatewayKeys> => {
  const hashes = new Set<string>()
  return Layer.mergeAll(
    Layer.succeed(EndpointStore, {
      list: ({ offset }) => Effect.succeed(offset === 0 ? [endpoint] : []),
      get: () => Effect.succeedSome(endpoint),
      secret: () => Effect.succeed(Option.some(secret)),
      create: () => never,
      update: () => never,
      remove: () => never,
    }),
    Layer.succeed(GatewayKeys, {
      any: () => Effect.succeed(true),
      add: ({ hash }) => Effect.sync(() => void hashes.add(hash)),
      addFirst: () => Effect.succeed(false),
      known: ({ hash }) => Effect.succeed(hashes.has(hash)),
    }),
  )
}
