import { getRequestListener } from '@hono/node-server'
import { type CannotListen, serveHttp, urlHost } from '@netbox-pbs/app-shell'
import { type EndpointStore, GatewayKeys, type StoreFailed } from '@netbox-pbs/core/ports'
import type { PbsDispatch } from '@netbox-pbs/pbs-client'
import { Effect, Layer, Redacted, type Scope } from 'effect'
import type { Hono } from 'hono'
import { Fleet } from './fleet/fleet.ts'
import { hashKey } from './http/api-key.ts'
import { gatewayApp } from './http/app.ts'
import { defaultFailureLimits, FailedAttempts, type FailureLimits } from './http/failed-attempts.ts'

/** How to answer. */
export interface GatewayAppOptions {
  /** Allowed hosts of requests, besides loopback names: names, `.example.com` with its subdomains, or `*`. */
  readonly allowedHosts?: ReadonlyArray<string>
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
  /** The way to the servers instead of TLS, for servers in the same process. */
  readonly dispatch?: PbsDispatch
}

/** How to serve; `host` is allowed too. */
export interface GatewayOptions extends GatewayAppOptions {
  /** Address to listen on; loopback unless the operator says otherwise. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** The flag that chooses the port, for the error that it is in use. Default `--port`. */
  readonly portFlag?: string
}

/** What answers `/pbs/*` without a socket: a handler of requests, until its scope closes. */
export const gatewayHandler = (
  options: GatewayAppOptions,
): Effect.Effect<Hono['fetch'], StoreFailed, Scope.Scope | EndpointStore | GatewayKeys> =>
  Effect.gen(function* () {
    if (options.bootstrapKey !== undefined) yield* makeKnown(options.bootstrapKey)
    // Built into the caller's scope: clients live as long as the server, and close after it.
    const fleet = yield* Layer.build(
      Fleet.layer({
        perServer: options.concurrency?.perServer ?? 4,
        total: options.concurrency?.total ?? 32,
        dispatch: options.dispatch,
      }),
    )
    const runtime = yield* Effect.runtime<EndpointStore | GatewayKeys | Fleet>().pipe(Effect.provide(fleet))
    const attempts = new FailedAttempts(options.failureLimits ?? defaultFailureLimits)
    return gatewayApp(runtime, attempts, options.allowedHosts ?? []).fetch
  })

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
    const allowedHosts = [urlHost(options.host), ...(options.allowedHosts ?? [])]
    const handler = yield* gatewayHandler({ ...options, allowedHosts })
    return yield* serveHttp({
      who: 'the gateway',
      host: options.host,
      port: options.port,
      ...(options.portFlag === undefined ? {} : { portFlag: options.portFlag }),
      requestTimeout: 30_000,
      listener: getRequestListener(handler, { overrideGlobalObjects: false }),
    })
  })

const makeKnown = (key: Redacted.Redacted<string>): Effect.Effect<void, StoreFailed, GatewayKeys> =>
  Effect.flatMap(GatewayKeys, (keys) => keys.add({ hash: hashKey(Redacted.value(key)), label: 'bootstrap' }))
