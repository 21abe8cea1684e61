import { isUtf8 } from 'node:buffer'
import { readBytes } from '@netbox-pbs/app-shell'
import { validationErrorBody } from '@netbox-pbs/proxbox-client/contract'
import { Effect } from 'effect'
import type { Context } from 'hono'
import type { z } from 'zod'
import { HttpError } from './http-error.ts'

/**
 * The JSON body of a request, parsed; 422 with the field in `loc` when it breaks the schema, 413
 * when it is too large.
 */
export const readBody = <S extends z.ZodType>(
  c: Context,
  schema: S,
  max = maxBodyBytes,
): Effect.Effect<z.output<S>, HttpError> =>
  Effect.gen(function* () {
    const text = yield* readText(c, max)
    const value = yield* Effect.try({
      // An absent body is an empty object: every field of a sync request is optional.
      try: (): unknown => (text.trim() === '' ? {} : JSON.parse(text)),
      catch: () => rejection('body', 'is not JSON'),
    })
    return yield* parse(schema, value, 'body')
  })

/** The largest request body, unless a route takes more: lists of names, or one endpoint. */
const maxBodyBytes = 256 * 1024

const readText = (c: Context, max: number): Effect.Effect<string, HttpError> =>
  readBytes(c.req.raw, max).pipe(
    Effect.mapError(({ reason }) => (reason === 'too_large' ? tooLarge(max) : rejection('body', 'broke off'))),
    Effect.filterOrElse(isUtf8, () => Effect.fail(rejection('body', 'is not UTF-8'))),
    Effect.map((bytes) => bytes.toString('utf8')),
  )

const tooLarge = (max: number) => new HttpError({ status: 413, detail: `Request body is larger than ${max} bytes` })

/**
 * Parses input from one place of a request; errors name that place first in `loc`. A text that
 * databases and URLs cannot carry, with NUL or half of a surrogate pair, is an error in every
 * field.
 */
export const parse = <S extends z.ZodType>(
  schema: S,
  value: unknown,
  place: 'body' | 'query' | 'path',
): Effect.Effect<z.output<S>, HttpError> => {
  const path = pathOfUnstorable(value)
  if (path !== null) return Effect.fail(rejection([place, ...path], 'must not hold NUL or half of a surrogate pair'))
  const parsed = schema.safeParse(value)
  return parsed.success
    ? Effect.succeed(parsed.data)
    : Effect.fail(new HttpError({ status: 422, detail: validationErrorBody(parsed.error, place).detail }))
}

/** 422 about one place: `refusal(['body', 'servers'], 'no such server')`. */
export const rejection = (loc: string | ReadonlyArray<string | number>, msg: string): HttpError =>
  new HttpError({
    status: 422,
    detail: [{ type: 'request_validation_error', loc: typeof loc === 'string' ? [loc] : [...loc], msg }],
  })

/**
 * The path of the first text in parsed JSON that cannot be stored; keys are shown as they can be.
 * Null: there is none.
 */
function pathOfUnstorable(root: unknown): ReadonlyArray<string | number> | null {
  // By a list, not by recursion: a body may be nested deeper than the stack.
  const open: Array<readonly [value: unknown, path: Path | null]> = [[root, null]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, path] = next
    if (typeof value === 'string' && !isStorable(value)) return partsOf(path)
    if (typeof value !== 'object' || value === null) continue
    for (const [key, child] of Object.entries(value).reverse()) {
      const childPlace = { above: path, key: Array.isArray(value) ? Number(key) : key }
      if (!isStorable(key)) return partsOf(childPlace)
      open.push([child, childPlace])
    }
  }
  return null
}

interface Path {
  readonly above: Path | null
  readonly key: string | number
}

const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

function partsOf(path: Path | null): ReadonlyArray<string | number> {
  const parts: Array<string | number> = []
  for (let at = path; at !== null && parts.length < 32; at = at.above) {
    parts.push(typeof at.key === 'string' ? at.key.replaceAll('\0', '').toWellFormed().slice(0, 255) : at.key)
  }
  return parts.reverse()
}
