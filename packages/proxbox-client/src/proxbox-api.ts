import { formatTimestamp } from '@netbox-pbs/core'
import { SourceFailed, type SourceFrame, type SourceRequest } from '@netbox-pbs/core/ports'
import { Clock, Effect, Stream } from 'effect'
import type { z } from 'zod'
import { type EndpointOut, EndpointPage } from './contract/endpoint.ts'
import { type StatusItem, StatusList } from './contract/summaries.ts'
import { endpointPageLimit } from './contract/sync-request.ts'
import { boundedText } from './foreign-text.ts'
import type { GatewayHttp } from './http/gateway-http.ts'

/**
 * The frames of a proxbox-api, which streams none. Its servers are known from the endpoints and
 * their status; everything else fails with `summaries_only`, after a request that shows whether
 * this is a proxbox-api at all.
 */
export const proxboxApiFallback = Effect.fn('ProxboxApi.proxboxApiFallback')(function* (
  http: GatewayHttp,
  request: SourceRequest,
) {
  const endpoints = yield* listEndpoints(http)
  if (request.resource !== 'servers') return yield* summariesOnly(request)
  const status = yield* readStatus(http)
  const now = yield* Clock.currentTimeMillis
  const frames: ReadonlyArray<SourceFrame> = serverFrames({ endpoints, status, now, warning: onlyServers })
  return Stream.fromIterable(frames)
})

const nextStep = 'set the address to a netbox-pbs gateway'

const onlyServers = `this proxbox-api counts datastores, snapshots and jobs but returns none of them, so that only servers are synced: ${nextStep}`

const summariesOnly = ({ resource }: SourceRequest) =>
  Effect.fail(
    new SourceFailed({
      code: 'summaries_only',
      message: `${resource} cannot be synced from this proxbox-api: it counts them, but no route of it returns them: ${nextStep}`,
      retryable: false,
    }),
  )

/** The most endpoints: more is an answer that does not end. */
const maxEndpoints = 10_000

/** Every endpoint, page by page, disabled ones included. */
const listEndpoints = Effect.fn('ProxboxApi.listEndpoints')(function* (http: GatewayHttp) {
  const endpoints: Array<EndpointOut> = []
  while (endpoints.length < maxEndpoints) {
    const path = `/pbs/endpoints?offset=${endpoints.length}&limit=${endpointPageLimit}`
    const page = yield* read(http, path, EndpointPage)
    endpoints.push(...page)
    if (page.length < endpointPageLimit) return endpoints
  }
  return yield* Effect.fail(unexpected(`lists more than ${maxEndpoints} endpoints`))
})

/** Whether each enabled endpoint answers now. */
export const readStatus = (http: GatewayHttp): Effect.Effect<ReadonlyArray<StatusItem>, SourceFailed> =>
  Effect.map(read(http, '/pbs/status', StatusList), ({ items }) => items)

function read<S extends z.ZodType>(
  http: GatewayHttp,
  path: string,
  schema: S,
): Effect.Effect<z.output<S>, SourceFailed> {
  return Effect.flatMap(http.json({ method: 'GET', path }), ({ status, base, json }) => {
    if (status !== 200) {
      return Effect.fail(unexpected(`is not at ${base}: ${path.split('?', 1).join('')} answered ${status}`))
    }
    const body = schema.safeParse(json)
    if (body.success) return Effect.succeed(body.data)
    const issue = body.error.issues[0]
    const where = issue === undefined ? '' : boundedText(`${issue.path.map(String).join('.')} ${issue.message}`)
    return Effect.fail(unexpected(`at ${base} sent something else from ${path.split('?', 1).join('')}: ${where}`))
  })
}

const unexpected = (what: string) =>
  new SourceFailed({
    code: 'protocol',
    message: `the gateway ${what}; correct its address`,
    retryable: false,
  })

/** The servers of a proxbox-api. */
interface ProxboxServers {
  readonly endpoints: ReadonlyArray<EndpointOut>
  readonly status: ReadonlyArray<StatusItem>
  /** Milliseconds since 1970, as the time at which servers that answered were seen. */
  readonly now: number
  /** For the operator, about this source. */
  readonly warning: string
}

/**
 * The whole stream of the servers scope. Disabled endpoints are left out, as by the gateway: their
 * servers become inventory only.
 */
function serverFrames({ endpoints, status, now, warning }: ProxboxServers): ReadonlyArray<SourceFrame> {
  const scope = { resource: 'servers' } as const
  const enabled = endpoints.filter((endpoint) => endpoint.enabled)
  const statusById = new Map(status.map((item) => [item.endpoint_id, item]))
  return [
    { _tag: 'scope', scope },
    ...enabled.map((endpoint) => serverFrame(endpoint, statusById.get(endpoint.id), now)),
    { _tag: 'warning', scope, code: 'summaries_only', message: warning },
    { _tag: 'complete', scope, count: enabled.length, visibility: null },
    { _tag: 'end' },
  ]
}

function serverFrame(endpoint: EndpointOut, status: StatusItem | undefined, now: number): SourceFrame {
  const answered = status?.reachable === true
  return {
    _tag: 'server',
    facts: {
      name: endpoint.name,
      host: endpoint.host,
      port: endpoint.port,
      token_id: endpoint.token_id,
      fingerprint: endpoint.fingerprint ?? '',
      verify_ssl: endpoint.verify_ssl,
      timeout_seconds: Math.min(600, Math.max(1, endpoint.timeout_seconds)),
      version: answered ? status.version : null,
      // proxbox-api does not know it.
      timezone: null,
      endpoint_id: endpoint.id,
    },
    observed: {
      status: status === undefined ? 'unknown' : answered ? 'reachable' : 'unreachable',
      last_seen_at: answered ? formatTimestamp(now) : null,
      ...(status === undefined || answered
        ? {}
        : { error: { code: 'unreachable' as const, message: boundedText(status.reason ?? 'it did not answer') } }),
    },
  }
}
