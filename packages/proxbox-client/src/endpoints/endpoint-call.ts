import { EndpointNotFound, EndpointRejected, GatewayUnavailable, type SourceFailed } from '@netbox-pbs/core/ports'
import { Effect, Redacted } from 'effect'
import type { z } from 'zod'
import { ErrorBody, endpointNotFoundDetail, nameTakenDetail, type ValidationIssue } from '../contract/error-body.ts'
import { boundedText } from '../foreign-text.ts'
import type { JsonAnswer } from '../http/answer.ts'
import type { Call, GatewayHttp } from '../http/gateway-http.ts'

/** A call about endpoints; `id` where it is about one that is stored. */
export interface EndpointCall extends Call {
  readonly id?: number
}

/** How such a call can fail. */
export type CallFailed = GatewayUnavailable | EndpointRejected | EndpointNotFound

/** Makes a call, and reads its answer with `schema`. */
export const ask = <S extends z.ZodType>(
  http: GatewayHttp,
  call: EndpointCall,
  schema: S,
): Effect.Effect<z.output<S>, CallFailed> =>
  Effect.flatMap(Effect.mapError(http.json(call), unavailable), (answer) => outcomeOf(answer, call, schema))

/** The outcome that an answer stands for. */
export function outcomeOf<S extends z.ZodType>(
  answer: JsonAnswer,
  call: EndpointCall,
  schema: S,
): Effect.Effect<z.output<S>, CallFailed> {
  const { status, json } = answer
  if (status >= 200 && status < 300) {
    const body = schema.safeParse(json)
    if (body.success) return Effect.succeed(body.data)
    const issue = body.error.issues[0]
    const where = issue === undefined ? '' : ` (${issue.path.map(String).join('.')}: ${issue.message})`
    return Effect.fail(unexpected(answer, call, boundedText(`sent something else than was asked for${where}`)))
  }
  if ([400, 409, 422].includes(status)) {
    return Effect.fail(rejection(json, (call.secrets ?? []).map(Redacted.value)))
  }
  if (status === 404 && call.id !== undefined && saysNotFound(json)) {
    return Effect.fail(new EndpointNotFound({ id: call.id }))
  }
  return Effect.fail(unexpected(answer, call, `answered ${status}`))
}

/** A failed call as the callers of the endpoint routes see it. */
export const unavailable = (failed: SourceFailed) => new GatewayUnavailable({ message: failed.message, cause: failed })

/** The failure of a call that has no fields to refuse. */
export const isUnexpected = (rejected: EndpointRejected) =>
  Effect.fail(
    new GatewayUnavailable({ message: `the gateway refused a request of ours: ${rejected.message}`, cause: rejected }),
  )

// A wrong address answers 404 too: only the gateway's own words say that the endpoint is gone.
function saysNotFound(json: unknown): boolean {
  const body = ErrorBody.safeParse(json)
  return body.success && body.data.detail === endpointNotFoundDetail
}

const unexpected = (answer: JsonAnswer, call: Call, what: string) =>
  new GatewayUnavailable({
    message: `${call.method} ${answer.base}${call.path} ${what}: check that this is the address of the gateway, and that it is of the same release`,
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
    for (const issue of detail.slice(0, 20)) add(fieldOf(issue), issue.msg)
  }
  return new EndpointRejected({ errors })
}

function fieldOf({ loc }: ValidationIssue): string {
  return ourFields.find((field) => loc.includes(field)) ?? wholeObject
}
