import { getRequestListener } from '@hono/node-server'
import { type CannotListen, serveHttp, urlHost } from '@netbox-pbs/app-shell'
import { type EndpointStore, GatewayKeys, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer, Redacted, type Scope } from 'effect'
import { Fleet } from './fleet/fleet.ts'
import { hashKey } from './http/api-key.ts'
import { gatewayApp } from './http/app.ts'
import { defaultFailureLimits, FailedAttempts, type FailureLimits } from './http/failed-attempts.ts'

/** How to serve. */
export interface GatewayOptions {
  /** Address to listen on; loopback unless the operator says otherwise. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /**
   * Allowed hosts of requests, besides loopback names and `host`: names, `.example.com` with its
   * subdomains, or `*`.
   */
  readonly allowedHosts?: ReadonlyArray<string>
  /** The flag that chooses the port, for the error that it is in use. Default `--port`. */
  readonly portFlag?: string
  /** An API key of at least 32 characters, registered at the start. */
  readonly bootstrapKey?: Redacted.Redacted<string>
  /** Wrong keys per address; by default 5 in 300 seconds. */
  readonly failureLimits?: FailureLimits
  readonly concurrency?: {
    /** Requests open at one PBS; by default 4. */
    readonly perServer?: number
    /** Requests open at all PBS together; by default 32. */
    readonly total?: number
  }
}

/**
 * Serves `/pbs/*` until its scope closes: first no new connections, then at most two seconds for
 * running answers, then the rest is cut off.
 */
export const gatewayServer = (
  options: GatewayOptions,
): Effect.Effect<
  { readonly url: string; readonly port: number },
  CannotListen | StoreFailed,
  Scope.Scope | EndpointStore | GatewayKeys
> =>
  Effect.gen(function* () {
    if (options.bootstrapKey !== undefined) yield* makeKnown(options.bootstrapKey)
    // Built into the caller's scope: clients live as long as the server, and close after it.
    const fleet = yield* Layer.build(
      Fleet.layer({ perServer: options.concurrency?.perServer ?? 4, total: options.concurrency?.total ?? 32 }),
    )
    const runtime = yield* Effect.runtime<EndpointStore | GatewayKeys | Fleet>().pipe(Effect.provide(fleet))
    const app = gatewayApp(runtime, new FailedAttempts(options.failureLimits ?? defaultFailureLimits), [
      urlHost(options.host),
      ...(options.allowedHosts ?? []),
    ])
    const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false })
    return yield* serveHttp({
      who: 'the gateway',
      host: options.host,
      port: options.port,
      ...(options.portFlag === undefined ? {} : { portFlag: options.portFlag }),
      requestTimeout: 30_000,
      listener: answer,
    })
  })

const makeKnown = (key: Redacted.Redacted<string>): Effect.Effect<void, StoreFailed, GatewayKeys> =>
  Effect.flatMap(GatewayKeys, (keys) => keys.add({ hash: hashKey(Redacted.value(key)), label: 'bootstrap' }))
