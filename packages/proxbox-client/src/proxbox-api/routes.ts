import { SourceFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { z } from 'zod'
import { type EndpointOut, EndpointPage } from '../contract/endpoint.ts'
import { endpointPageLimit } from '../contract/media.ts'
import { type StatusItem, StatusList } from '../contract/summaries.ts'
import { boundedText } from '../http/bounded-text.ts'
import type { GatewayHttp } from '../http/gateway-http.ts'

/** More endpoints than this are no fleet but an answer that does not end. */
const maxEndpoints = 10_000

/** Every endpoint, page by page, disabled ones included. */
export const listEndpoints = Effect.fn('ProxboxApi.listEndpoints')(function* (http: GatewayHttp) {
  const endpoints: Array<EndpointOut> = []
  while (endpoints.length < maxEndpoints) {
    const path = `/pbs/endpoints?offset=${endpoints.length}&limit=${endpointPageLimit}`
    const page = yield* read(http, path, EndpointPage)
    endpoints.push(...page)
    if (page.length < endpointPageLimit) return endpoints
  }
  return yield* Effect.fail(unexpected(`lists more than ${maxEndpoints} endpoints`))
})

/** How each enabled endpoint answers at this moment. */
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
