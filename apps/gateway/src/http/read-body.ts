import { validationErrorBody } from '@netbox-pbs/proxbox-client/contract'
import { Effect } from 'effect'
import type { Context } from 'hono'
import type { z } from 'zod'
import { Refused } from './refused.ts'

/** The JSON body of a request, parsed; 422 with the field in `loc` when it is not what the schema says. 413 when it is too large. */
export const readBody = <S extends z.ZodType>(c: Context, schema: S): Effect.Effect<z.output<S>, Refused> =>
  Effect.gen(function* () {
    const text = yield* readText(c)
    const value = yield* Effect.try({
      // An absent body is an empty object: every field of a sync request is optional.
      try: (): unknown => (text.trim() === '' ? {} : JSON.parse(text)),
      catch: () => refusal('body', 'is not JSON'),
    })
    return yield* parse(schema, value, 'body')
  })

/** The largest request body: lists of names, or one endpoint. */
const maxBodyBytes = 256 * 1024

const readText = (c: Context): Effect.Effect<string, Refused> =>
  Effect.tryPromise({
    try: async () => {
      const chunks: Array<Uint8Array> = []
      let size = 0
      for await (const chunk of c.req.raw.body ?? []) {
        size += chunk.byteLength
        if (size > maxBodyBytes) throw tooLarge
        chunks.push(chunk)
      }
      return Buffer.concat(chunks).toString('utf8')
    },
    catch: (error) => (error === tooLarge ? tooLarge : refusal('body', 'broke off')),
  })

const tooLarge = new Refused({ status: 413, detail: `Request body is larger than ${maxBodyBytes} bytes` })

/** Parses input from one place of a request; what is refused names that place first in `loc`. */
export const parse = <S extends z.ZodType>(
  schema: S,
  value: unknown,
  place: 'body' | 'query' | 'path',
): Effect.Effect<z.output<S>, Refused> => {
  const parsed = schema.safeParse(value)
  return parsed.success
    ? Effect.succeed(parsed.data)
    : Effect.fail(new Refused({ status: 422, detail: validationErrorBody(parsed.error, place).detail }))
}

/** 422 about one place: `refusal(['body', 'servers'], 'no such server')`. */
export const refusal = (loc: string | ReadonlyArray<string | number>, msg: string): Refused =>
  new Refused({
    status: 422,
    detail: [{ type: 'request_validation_error', loc: typeof loc === 'string' ? [loc] : [...loc], msg }],
  })
