import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Effect, type Scope } from 'effect'
import { type ApiStartFailed, startFailure } from './api-start-failed.ts'
import { makeApp } from './http/app.ts'
import { makeRun } from './http/run.ts'
import type { ApiServices } from './services.ts'

/** How to serve. */
export interface ApiOptions {
  /** Address to listen on; loopback unless the operator says otherwise. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** Hosts, beside loopback names, that requests may be for: names, `.example.com` with all below it, or `*`. */
  readonly allowedHosts?: ReadonlyArray<string>
}

/** How long a stop waits for requests that are being answered, before it cuts them off. */
const drainMillis = 2000

/** Serves REST and pages until its scope closes: first no new connections, then at most two seconds for running answers, then the rest is cut off. */
export const apiServer = ({
  host,
  port,
  allowedHosts = [],
}: ApiOptions): Effect.Effect<
  { readonly url: string; readonly port: number },
  ApiStartFailed,
  Scope.Scope | ApiServices
> =>
  Effect.gen(function* () {
    const run = makeRun(yield* Effect.runtime<ApiServices>())
    const urlHost = host.includes(':') ? `[${host}]` : host
    const app = makeApp(run, { allowedHosts: [urlHost, ...allowedHosts] })
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
    const server = createServer({ requestTimeout: 60_000, headersTimeout: 15_000 }, (request, response) => {
      void listener(request, response)
    })
    yield* Effect.acquireRelease(listen(server, host, port), () => close(server))
    const address = server.address()
    const bound = typeof address === 'object' && address !== null ? address.port : port
    return { url: `http://${urlHost}:${bound}`, port: bound }
  })

const listen = (server: Server, host: string, port: number): Effect.Effect<void, ApiStartFailed> =>
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
