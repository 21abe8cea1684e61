import { Effect } from 'effect'
import type { ApiContext } from './caller.ts'
import { badRequest, type Refused, tooLarge, unsupportedMediaType } from './refused.ts'

/** The largest request body. */
const maxBodyBytes = 10 * 1024 * 1024

/** The JSON of a request's body; an empty body is an empty object. */
export const readBody = (c: ApiContext): Effect.Effect<unknown, Refused> =>
  Effect.gen(function* () {
    const bytes = yield* readBytes(c)
    if (bytes.byteLength === 0) return {}
    const type = c.req.header('content-type') ?? ''
    if (type.split(';')[0]?.trim().toLowerCase() !== 'application/json') return yield* unsupportedMediaType(type)
    const text = yield* Effect.try({
      try: () => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
      catch: () => badRequest('JSON parse error - the body is not UTF-8'),
    })
    return yield* Effect.try({ try: (): unknown => JSON.parse(text), catch: (error) => parseError(text, error) })
  })

/** Reads no more than the limit, whatever the client declares. */
const readBytes = (c: ApiContext): Effect.Effect<Uint8Array, Refused> =>
  Effect.gen(function* () {
    if (Number(c.req.header('content-length') ?? 0) > maxBodyBytes) return yield* tooLarge(maxBodyBytes)
    const body = c.req.raw.body
    if (body === null) return new Uint8Array()
    const chunks: Array<Uint8Array> = []
    let size = 0
    const reader = body.getReader()
    for (;;) {
      const { done, value } = yield* Effect.promise(() => reader.read())
      if (done) return Buffer.concat(chunks)
      size += value.byteLength
      if (size > maxBodyBytes) {
        yield* Effect.promise(() => reader.cancel())
        return yield* tooLarge(maxBodyBytes)
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
