import { readBytes as readBoundedBytes } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import type { ApiContext } from './caller.ts'
import { badRequest, type HttpError, tooLarge, unsupportedMediaType } from './http-error.ts'
import { jsonError } from './json-error.ts'

/** The largest request body. */
const maxBodyBytes = 10 * 1024 * 1024

/** Objects of one body: more would make a response, or a transaction, without bound. */
export const maxObjects = 1000

/**
 * The depth of lists and objects that a body may have. Fields need few levels, and the checks
 * recurse at each level.
 */
const maxNesting = 100

/** The JSON of a request's body; an empty body is an empty object. */
export const readBody = (c: ApiContext): Effect.Effect<unknown, HttpError> =>
  Effect.gen(function* () {
    const bytes = yield* readBytes(c, maxBodyBytes)
    if (bytes.byteLength === 0) return {}
    const type = c.req.header('content-type') ?? ''
    if (type.split(';')[0]?.trim().toLowerCase() !== 'application/json') return yield* unsupportedMediaType(type)
    const text = yield* Effect.try({
      try: () => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
      catch: () => badRequest('JSON parse error - the body is not UTF-8'),
    })
    if (isNestedBeyond(maxNesting, text))
      return yield* badRequest(`JSON parse error - more than ${maxNesting} lists and objects are inside one another`)
    return yield* Effect.try({
      try: (): unknown => JSON.parse(text),
      catch: () => badRequest(`JSON parse error - ${jsonError(text) ?? 'it is no JSON'}`),
    })
  })

/** The bytes of a request's body; 413 beyond the limit. */
export const readBytes = (c: ApiContext, limit: number): Effect.Effect<Uint8Array, HttpError> =>
  Effect.catchAll(readBoundedBytes(c.req.raw, limit), ({ reason, cause }) =>
    reason === 'too_large' ? tooLarge(limit) : Effect.die(cause),
  )

/**
 * Checks the text, because parsing deep nesting costs far more than its bytes. Brackets within
 * strings do not count.
 */
function isNestedBeyond(limit: number, text: string): boolean {
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (quoted) {
      if (char === '\\') at += 1
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '[' || char === '{') {
      depth += 1
      if (depth > limit) return true
    } else if (char === ']' || char === '}') depth -= 1
  }
  return false
}
