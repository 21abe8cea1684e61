import type { EndpointStore, GatewayKeys } from '@netbox-pbs/core/ports'
import { Effect, Exit, Layer, Redacted, Scope } from 'effect'
import { type GatewayOptions, gatewayServer } from '../src/index.ts'
import { memoryStore } from './memory-store.ts'

/** The key of a running test gateway. */
export const key = 'test-key-0123456789abcdef0123456789abcdef'

/** A gateway on a free port of this machine, and what a client says to it. */
export interface RunningGateway {
  readonly url: string
  readonly request: (path: string, init?: RequestInit & { readonly json?: unknown }) => Promise<Response>
  readonly stop: () => Promise<void>
}

/** Starts a gateway on real sockets and the stores in memory. */
export const startGateway = async ({
  withKey = true,
  store = memoryStore,
  ...options
}: Partial<GatewayOptions> & {
  readonly withKey?: boolean
  readonly store?: Layer.Layer<EndpointStore | GatewayKeys>
} = {}): Promise<RunningGateway> => {
  const scope = await Effect.runPromise(Scope.make())
  const { url } = await Effect.runPromise(
    Effect.gen(function* () {
      const services = yield* Layer.build(store)
      return yield* gatewayServer({
        host: '127.0.0.1',
        port: 0,
        ...(withKey ? { bootstrapKey: Redacted.make(key) } : {}),
        ...options,
      }).pipe(Effect.provide(services))
    }).pipe(Scope.extend(scope)),
  )
  return {
    url,
    request: (path, { json, ...init } = {}) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: { 'x-proxbox-api-key': key, ...init.headers },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      }),
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void)),
  }
}
