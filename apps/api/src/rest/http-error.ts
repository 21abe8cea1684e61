import type { FieldErrors } from '@netbox-pbs/core'
import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Data, Effect } from 'effect'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ApiContext } from './caller.ts'

/** A request is answered with an error of NetBox's kind; `body` is sent as JSON. */
export class HttpError extends Data.TaggedError('HttpError')<{
  readonly status: ContentfulStatusCode
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}> {
  override get message(): string {
    return `answered ${this.status}`
  }
}

const detail = (status: ContentfulStatusCode) => (text: string) => new HttpError({ status, body: { detail: text } })

/** 400 with the errors of each field, or another body of NetBox's. */
export const invalid = (body: object): HttpError => new HttpError({ status: 400, body })

/** 400 with one sentence. */
export const badRequest = detail(400)

/** 403: not authenticated, or not allowed. */
export const forbidden = detail(403)

/** 404 with one sentence. */
export const notFound = detail(404)

/** 405 of a method that the path does not know. */
export const methodNotAllowed = (method: string): HttpError => detail(405)(`Method "${method}" not allowed.`)

/** 406: no representation that the client accepts. */
export const notAcceptable = detail(406)

/** 413 of a body beyond the limit. */
export const tooLarge = (limit: number): HttpError => detail(413)(`Request body is larger than ${limit} bytes.`)

/** 415 of a body that is not JSON. */
export const unsupportedMediaType = (type: string): HttpError =>
  detail(415)(`Unsupported media type "${type}" in request.`)

/** 502: the gateway did not answer as one. */
export const badGateway = detail(502)

/** A body that is invalid for a row: the errors of each field. */
export class ValidationFailed extends Data.TaggedError('ValidationFailed')<{ readonly errors: FieldErrors }> {}

/** The errors of a row whose server was deleted at the same time. */
export const serverGoneErrors = (id: number): FieldErrors => ({
  server: [`Related object not found using the provided numeric ID: ${id}`],
})

/** Parameters of a query that choose the page or the form of the answer, and make nothing slow. */
const harmless = new Set([
  'limit',
  'offset',
  'page',
  'per_page',
  'start',
  'format',
  'fields',
  'omit',
  'brief',
  '_branch',
])

/**
 * Why the database could not answer a request, without a full stop; of one that took too long, with
 * the names of the filters that it was asked by.
 */
export function storeFailure(c: ApiContext, { reason, message }: StoreFailed): string {
  if (reason !== 'too_slow' && reason !== 'busy') return message
  const names = [...new Set(new URL(c.req.url).searchParams.keys())].filter((name) => !harmless.has(name)).slice(0, 10)
  if (names.length === 0) return message
  const filters = names.map((name) => encodeURIComponent(name)).join(', ')
  return `${message}. The request filters or orders by ${filters}: add a filter by server, datastore_name or backup_id`
}

/**
 * Logs why the database could not answer: an error where it failed, a warning where only the
 * request asked for too much or came at a bad time.
 */
export function logStoreFailure({ reason, message, cause }: StoreFailed, what: string): Effect.Effect<void> {
  if (reason === 'too_slow' || reason === 'busy' || reason === 'conflict')
    return Effect.logWarning(`the database did not finish ${what}`).pipe(Effect.annotateLogs({ why: message }))
  return Effect.logError(`the database failed ${what}`, cause)
}
