import { getRequestListener } from '@hono/node-server'
import { type CannotListen, serveHttp, urlHost } from '@netbox-pbs/app-shell'
import { watchFindings } from '@netbox-pbs/sync'
import { Effect, Layer, type Scope } from 'effect'
import { passwordsLayer } from './accounts/passwords.ts'
import { makeApp } from './http/app.ts'
import type { ProxyOptions } from './http/find-client.ts'
import { makeRun } from './http/run.ts'
import type { NetBoxConfig } from './netbox/netbox-config.ts'
import { netBoxTokensLayer } from './netbox/netbox-tokens.ts'
import { openIdLayer } from './openid/openid.ts'
import type { OpenIdConfig } from './openid/openid-config.ts'
import { recentAnswersLayer } from './rest/recent-answers.ts'
import type { ApiNeeds, ApiServices } from './services.ts'

/** How to serve. */
export interface ApiOptions extends ProxyOptions {
  /** Address to listen on; loopback by default. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** Accepted hosts in addition to loopback names: a name, `.example.com` for all its subdomains, or `*`. */
  readonly allowedHosts?: ReadonlyArray<string>
  /** Seconds that one statement of a request may take in the database before the request is answered 503; 5. */
  readonly statementTimeoutSeconds?: number
  /** The provider of OpenID Connect that users may sign in with; none. */
  readonly openId?: OpenIdConfig | null
  /** The NetBox whose API tokens are accepted; none. */
  readonly netBox?: NetBoxConfig | null
}

/**
 * Serves REST and pages until its scope closes: first no new connections, then at most two seconds
 * for running answers, then the rest is cut off.
 */
export const apiServer = ({
  host,
  port,
  allowedHosts = [],
  statementTimeoutSeconds = 5,
  openId = null,
  netBox = null,
  ...proxy
}: ApiOptions): Effect.Effect<{ readonly url: string; readonly port: number }, CannotListen, Scope.Scope | ApiNeeds> =>
  Effect.gen(function* () {
    // They live as long as the server.
    const own = yield* Layer.build(
      Layer.mergeAll(passwordsLayer, openIdLayer(openId), netBoxTokensLayer(netBox), recentAnswersLayer),
    )
    const runtime = yield* Effect.provide(Effect.runtime<ApiServices>(), own)
    yield* Effect.forkScoped(watchFindings)
    const run = makeRun(runtime, { statementTimeoutSeconds })
    const app = makeApp(run, { ...proxy, allowedHosts: [urlHost(host), ...allowedHosts] })
    const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false })
    return yield* serveHttp({
      who: 'the API',
      host,
      port,
      requestTimeout: 60_000,
      listener: answer,
    })
  })
