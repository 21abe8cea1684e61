import { Data, Effect } from 'effect'

/** The body of a request cannot be read: it has more than `limit` bytes, or the client stopped in the middle of it. */
export class BodyUnreadable extends Data.TaggedError('BodyUnreadable')<{
  readonly reason: 'too_large' | 'broken_off'
  readonly limit: number
  readonly cause?: unknown
}> {
  override get message(): string {
    return this.reason === 'too_large' ? `the body is larger than ${this.limit} bytes` : 'the body broke off'
  }
}

/**
 * Reads the body of a request, at most `limit` bytes, with or without a declared length.
 * `hono/body-limit` is a middleware: it would answer 413 before a handler has checked the caller,
 * and learns only of errors that are thrown.
 */
export const readBytes = (
  { headers, body }: Request,
  limit: number,
): Effect.Effect<Buffer<ArrayBuffer>, BodyUnreadable> =>
  Effect.gen(function* () {
    const tooLarge = new BodyUnreadable({ reason: 'too_large', limit })
    if (Number(headers.get('content-length') ?? 0) > limit) return yield* tooLarge
    return yield* Effect.tryPromise({
      try: async () => {
        const chunks: Array<Uint8Array> = []
        let size = 0
        for await (const chunk of body ?? []) {
          size += chunk.byteLength
          if (size > limit) throw tooLarge
          chunks.push(chunk)
        }
        return Buffer.concat(chunks)
      },
      catch: (cause) => (cause === tooLarge ? tooLarge : new BodyUnreadable({ reason: 'broken_off', limit, cause })),
    })
  })
