import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { type EndpointStore, GatewayKeys } from '@netbox-pbs/core/ports'
import { Effect, Layer, Redacted, type Scope } from 'effect'
import { Fleet } from './fleet/fleet.ts'
import { GatewayStartFailed, startFailure } from './gateway-start-failed.ts'
import { hashKey } from './http/api-key.ts'
import { gatewayApp } from './http/app.ts'
import { defaultFailureLimits, FailedAttempts, type FailureLimits } from './http/failed-attempts.ts'

/** How to serve. */
export interface GatewayOptions {
  /** Address to listen on; loopback unless the operator says otherwise. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** An API key that is made known at the start, so that nobody has to register one. At least 32 characters. */
  readonly bootstrapKey?: Redacted.Redacted<string>
  /** Wrong keys per address; 5 in 300 seconds unless told. */
  readonly failureLimits?: FailureLimits
  readonly concurrency?: {
    /** Requests open at one PBS; 4 unless told. */
    readonly perServer?: number
    /** Requests open at all PBS together; 32 unless told. */
    readonly total?: number
  }
}

/** How long a stop waits for requests that are being answered, before it cuts them off. */
const drainMillis = 2000

/** Serves `/pbs/*` until its scope closes: first no new connections, then at most two seconds for running answers, then the rest is cut off. */
export const gatewayServer = (
  options: GatewayOptions,
): Effect.Effect<
  { readonly url: string; readonly port: number },
  GatewayStartFailed,
  Scope.Scope | EndpointStore | GatewayKeys
> =>
  Effect.gen(function* () {
    if (options.bootstrapKey !== undefined) yield* makeKnown(options, options.bootstrapKey)
    // Built into the caller's scope: clients live as long as the server, and close after it.
    const fleet = yield* Layer.build(
      Fleet.layer({ perServer: options.concurrency?.perServer ?? 4, total: options.concurrency?.total ?? 32 }),
    )
    const runtime = yield* Effect.runtime<EndpointStore | GatewayKeys | Fleet>().pipe(Effect.provide(fleet))
    const app = gatewayApp(runtime, new FailedAttempts(options.failureLimits ?? defaultFailureLimits))
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
    const server = createServer({ requestTimeout: 30_000, headersTimeout: 15_000 }, (request, response) => {
      void listener(request, response)
    })
    yield* Effect.acquireRelease(listen(server, options.host, options.port), () => close(server))
    const address = server.address()
    const port = isAddressInfo(address) ? address.port : options.port
    const host = options.host.includes(':') ? `[${options.host}]` : options.host
    return { url: `http://${host}:${port}`, port }
  })

const makeKnown = ({ host, port }: GatewayOptions, key: Redacted.Redacted<string>) =>
  Effect.gen(function* () {
    const keys = yield* GatewayKeys
    yield* keys.add({ hash: hashKey(Redacted.value(key)), label: 'bootstrap' })
  }).pipe(Effect.mapError((cause) => new GatewayStartFailed({ reason: 'no_store', host, port, cause })))

const isAddressInfo = (address: ReturnType<Server['address']>): address is AddressInfo =>
  address !== null && typeof address === 'object'

const listen = (server: Server, host: string, port: number): Effect.Effect<void, GatewayStartFailed> =>
  Effect.async((resume) => {
    const onError = (cause: NodeJS.ErrnoException) => resume(Effect.fail(startFailure(host, port, cause)))
    server.once('error', onError)
    server.listen({ host, port }, () => {
      server.off('error', onError)
      resume(Effect.void)
    })
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const cutOff = setTimeout(() => server.closeAllConnections(), drainMillis)
    server.close(() => {
      clearTimeout(cutOff)
      resume(Effect.void)
    })
    server.closeIdleConnections()
  })
