import {
  type Endpoint,
  type EndpointInput,
  EndpointNotFound,
  EndpointRejected,
  Endpoints,
  type EndpointTest,
  GatewayUnavailable,
  type SourceFailed,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Redacted } from 'effect'
import { z } from 'zod'
import { EndpointOut, EndpointTestOut } from '../contract/endpoint.ts'
import { ErrorBody, endpointNotFoundDetail, nameTakenDetail, type ValidationIssue } from '../contract/error-body.ts'
import { boundedText } from '../foreign-text.ts'
import { type Call, type GatewayHttp, type GatewayOptions, gatewayHttp } from '../http/gateway-http.ts'
import type { JsonResponse } from '../http/response.ts'
import { readStatus } from '../proxbox-api.ts'

/**
 * The endpoint routes of a gateway, or of a proxbox-api, as core's `Endpoints`. It brings its own
 * HTTP client (undici), needs nothing else, and repeats only reads.
 */
export const endpointsLayer = (options: GatewayOptions): Layer.Layer<Endpoints> =>
  Layer.scoped(
    Endpoints,
    Effect.map(gatewayHttp(options), (http) =>
      Endpoints.of({
        create: Effect.fn('Endpoints.create')(function* (endpoint) {
          const body = () => endpointBody(endpoint)
          const call = { method: 'POST', path: '/pbs/endpoints', body, secrets: secretsOf(endpoint) } as const
          const created = ask(http, call, EndpointOut).pipe(Effect.catchTag('EndpointNotFound', cannotBe))
          return endpointOf(yield* created)
        }),
        get: Effect.fn('Endpoints.get')(function* ({ id }) {
          const call = { method: 'GET', path: pathOf(id), id } as const
          return endpointOf(yield* ask(http, call, EndpointOut).pipe(Effect.catchTag('EndpointRejected', isUnexpected)))
        }),
        update: Effect.fn('Endpoints.update')(function* ({ id, change }) {
          const body = () => endpointBody(change)
          const call = { method: 'PUT', path: pathOf(id), id, body, secrets: secretsOf(change) } as const
          return endpointOf(yield* ask(http, call, EndpointOut))
        }),
        remove: Effect.fn('Endpoints.remove')(function* ({ id }) {
          const call = { method: 'DELETE', path: pathOf(id), id } as const
          yield* ask(http, call, z.unknown()).pipe(Effect.catchTag('EndpointRejected', isUnexpected))
        }),
        test: (request) => testEndpoint(http, request),
      }),
    ),
  )

const pathOf = (id: number) => `/pbs/endpoints/${id}`

const cannotBe = (error: EndpointNotFound) =>
  Effect.fail(new GatewayUnavailable({ message: error.message, cause: error }))

/**
 * Tests a stored endpoint, or one with its secret before it is stored. A proxbox-api has no such
 * route, but says whether a stored one answers.
 */
const testEndpoint = Effect.fn('Endpoints.test')(function* (
  http: GatewayHttp,
  request: { readonly id: number } | EndpointInput,
) {
  const call: EndpointCall = {
    method: 'POST',
    path: '/pbs/endpoints/test',
    ...('id' in request
      ? { id: request.id, body: () => ({ id: request.id }) }
      : { body: () => endpointBody(request), secrets: secretsOf(request) }),
  }
  const response = yield* Effect.mapError(http.json(call), unavailable)
  if (response.status !== 405) return yield* outcomeOf(response, call, EndpointTestOut)
  if ('id' in request) return yield* statusOfStored(http, request.id)
  return yield* Effect.fail(
    new GatewayUnavailable({
      message:
        'this proxbox-api cannot test an endpoint before it is stored: add the server untested, or set the address to a netbox-pbs gateway',
    }),
  )
})

/** A stored endpoint by the status of a proxbox-api. */
function statusOfStored(
  http: GatewayHttp,
  id: number,
): Effect.Effect<EndpointTest, GatewayUnavailable | EndpointRejected | EndpointNotFound> {
  return Effect.gen(function* () {
    const endpoint = yield* ask(http, { method: 'GET', path: `/pbs/endpoints/${id}`, id }, EndpointOut).pipe(
      Effect.catchTag('EndpointRejected', isUnexpected),
    )
    const status = (yield* Effect.mapError(readStatus(http), unavailable)).find((item) => item.endpoint_id === id)
    const disabled = `the endpoint ${endpoint.name} is disabled at the proxbox-api: enable it there`
    return {
      reachable: status?.reachable ?? false,
      version: status?.version ?? null,
      code: null,
      error:
        status === undefined ? disabled : status.reachable ? null : boundedText(status.reason ?? 'it does not answer'),
      presented_fingerprint: null,
      missing_privileges: [],
      acl_commands: [],
      token_warning: null,
    }
  })
}

/** An endpoint as the gateway takes it, with its secret opened. Made when the request is sent, and kept nowhere. */
function endpointBody(endpoint: Partial<EndpointInput>): Readonly<Record<string, unknown>> {
  const { token_secret, fingerprint, name, host, port, token_id, verify_ssl, timeout_seconds } = endpoint
  return {
    name,
    host,
    port,
    token_id,
    token_secret: token_secret === undefined ? undefined : Redacted.value(token_secret),
    fingerprint: fingerprint === '' ? null : fingerprint,
    verify_ssl,
    timeout_seconds,
  }
}

/** An endpoint in core's words: no fingerprint is the empty text. */
function endpointOf(out: EndpointOut): Endpoint {
  const { fingerprint, allow_writes: _, ...endpoint } = out
  return { ...endpoint, fingerprint: fingerprint ?? '' }
}

/** The texts that must not appear in a message about this endpoint. */
const secretsOf = ({ token_secret }: Partial<EndpointInput>): ReadonlyArray<Redacted.Redacted<string>> =>
  token_secret === undefined ? [] : [token_secret]

/** A call about endpoints; `id` where it is about one that is stored. */
interface EndpointCall extends Call {
  readonly id?: number
}

/** How such a call can fail. */
type CallFailed = GatewayUnavailable | EndpointRejected | EndpointNotFound

/** Makes a call, and reads its answer with `schema`. */
const ask = <S extends z.ZodType>(
  http: GatewayHttp,
  call: EndpointCall,
  schema: S,
): Effect.Effect<z.output<S>, CallFailed> =>
  Effect.flatMap(Effect.mapError(http.json(call), unavailable), (response) => outcomeOf(response, call, schema))

/** The outcome that an answer means. */
function outcomeOf<S extends z.ZodType>(
  response: JsonResponse,
  call: EndpointCall,
  schema: S,
): Effect.Effect<z.output<S>, CallFailed> {
  const { status, json } = response
  if (status >= 200 && status < 300) {
    const body = schema.safeParse(json)
    if (body.success) return Effect.succeed(body.data)
    const issue = body.error.issues[0]
    const where = issue === undefined ? '' : ` (${issue.path.map(String).join('.')}: ${issue.message})`
    return Effect.fail(unexpected(response, call, boundedText(`sent an unexpected answer${where}`)))
  }
  if ([400, 409, 422].includes(status)) {
    return Effect.fail(rejection(json, (call.secrets ?? []).map(Redacted.value)))
  }
  if (status === 404 && call.id !== undefined && saysNotFound(json)) {
    return Effect.fail(new EndpointNotFound({ id: call.id }))
  }
  return Effect.fail(unexpected(response, call, `answered ${status}`))
}

/** A failed call as the callers of the endpoint routes see it. */
const unavailable = (failed: SourceFailed) => new GatewayUnavailable({ message: failed.message, cause: failed })

/** The failure of a call that has no fields to refuse. */
const isUnexpected = (rejected: EndpointRejected) =>
  Effect.fail(
    new GatewayUnavailable({ message: `the gateway refused a request of ours: ${rejected.message}`, cause: rejected }),
  )

// A wrong address answers 404 too: only the gateway's own words say that the endpoint is gone.
function saysNotFound(json: unknown): boolean {
  const body = ErrorBody.safeParse(json)
  return body.success && body.data.detail === endpointNotFoundDetail
}

const unexpected = (response: JsonResponse, call: Call, what: string) =>
  new GatewayUnavailable({
    message: `${call.method} ${response.base}${call.path} ${what}: check that this is the address of the gateway, and that it is of the same release`,
  })

/** NetBox's key for sentences that are about no single field. */
const wholeObject = '__all__'

const ourFields = [
  'name',
  'host',
  'port',
  'token_id',
  'token_secret',
  'fingerprint',
  'verify_ssl',
  'timeout_seconds',
] as const

/** The errors of a 400 or 422, under our field names and without the secrets that were sent. */
function rejection(body: unknown, secrets: ReadonlyArray<string>): EndpointRejected {
  const read = ErrorBody.safeParse(body)
  if (!read.success)
    return new EndpointRejected({ errors: { [wholeObject]: ['The gateway refused it without a reason.'] } })

  const errors: Record<string, Array<string>> = {}
  const add = (field: string, text: string) => {
    errors[field] = [...(errors[field] ?? []), boundedText(text, secrets)]
  }
  const { detail } = read.data
  if (typeof detail === 'string') {
    add(detail === nameTakenDetail ? 'name' : wholeObject, detail)
  } else {
    for (const issue of detail.slice(0, 20)) {
      const field = fieldOf(issue)
      add(field, field === wholeObject ? issue.msg : sentenceOf(issue))
    }
  }
  return new EndpointRejected({ errors })
}

/** The gateway says what a field must be: `must be a whole number`. */
const sentenceOf = ({ msg }: ValidationIssue): string => (/^(?:must|is) /.test(msg) ? `This field ${msg}.` : msg)

function fieldOf({ loc }: ValidationIssue): string {
  return ourFields.find((field) => loc.includes(field)) ?? wholeObject
}
