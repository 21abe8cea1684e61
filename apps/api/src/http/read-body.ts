import { Effect } from 'effect'
import type { ApiContext } from './caller.ts'
import { badRequest, type Refused, tooLarge, unsupportedMediaType } from './refused.ts'

/** The largest request body. */
const maxBodyBytes = 10 * 1024 * 1024

/** The JSON of a request's body; an empty body is an empty object. */
export const readBody = (c: ApiContext): Effect.Effect<unknown, Refused> =>
  Effect.gen(function* () {
    const bytes = yield* readBytes(c, maxBodyBytes)
    if (bytes.byteLength === 0) return {}
    const type = c.req.header('content-type') ?? ''
    if (type.split(';')[0]?.trim().toLowerCase() !== 'application/json') return yield* unsupportedMediaType(type)
    const text = yield* Effect.try({
      try: () => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
      catch: () => badRequest('JSON parse error - the body is not UTF-8'),
    })
    return yield* Effect.try({ try: (): unknown => JSON.parse(text), catch: (error) => parseError(text, error) })
  })

/** The bytes of a request's body; 413 beyond the limit. Reads no more than that, whatever the client declares, with a length or in pieces. */
export const readBytes = (c: ApiContext, limit: number): Effect.Effect<Uint8Array, Refused> =>
  Effect.gen(function* () {
    if (Number(c.req.header('content-length') ?? 0) > limit) return yield* tooLarge(limit)
    const body = c.req.raw.body
    if (body === null) return new Uint8Array()
    const chunks: Array<Uint8Array> = []
    let size = 0
    const reader = body.getReader()
    for (;;) {
      const { done, value } = yield* Effect.promise(() => reader.read())
      if (done) return Buffer.concat(chunks)
      size += value.byteLength
      if (size > limit) {
        yield* Effect.promise(() => reader.cancel())
        return yield* tooLarge(limit)
      }
      chunks.push(value)
    }
  })

/** Says where the text stops being JSON, without repeating any of it. */
function parseError(text: string, error: unknown): Refused {
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined
  const char = position === undefined ? text.length : Number(position)
  const before = text.slice(0, char).split('\n')
  return badRequest(
    `JSON parse error - Expecting value: line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1} (char ${char})`,
  )
}
