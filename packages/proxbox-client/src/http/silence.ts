import { Channel, type Chunk, Clock, Effect, type Scope } from 'effect'

/** Watches a stream for silence: only the time that somebody waits for bytes counts, not the time a slow reader takes. */
export interface Silence {
  /** Whether it lasted too long. */
  readonly expired: () => boolean
  /** Passes everything on, and knows when it waits. */
  readonly watched: <A, E>() => Channel.Channel<Chunk.Chunk<A>, Chunk.Chunk<A>, E, E, unknown, unknown>
}

/**
 * Calls `hangUp` once when a stream was silent for `millis`. One fiber a stream: a timeout around every pull would cost
 * more than the pulls.
 */
export const watchSilence = (millis: number, hangUp: Effect.Effect<void>): Effect.Effect<Silence, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    let waitingSince: number | null = null
    let expired = false

    const remaining = () => (waitingSince === null ? millis : waitingSince + millis - clock.unsafeCurrentTimeMillis())
    const watch: Effect.Effect<void> = Effect.suspend(() => {
      const left = remaining()
      if (left > 0) return Effect.zipRight(Effect.sleep(left), watch)
      expired = true
      return hangUp
    })
    yield* Effect.forkScoped(watch)

    const watched = <A, E>(): Channel.Channel<Chunk.Chunk<A>, Chunk.Chunk<A>, E, E, unknown, unknown> =>
      Channel.suspend(() => {
        waitingSince = clock.unsafeCurrentTimeMillis()
        return Channel.readWith({
          onInput: (chunk: Chunk.Chunk<A>) => {
            waitingSince = null
            return Channel.flatMap(Channel.write(chunk), () => watched<A, E>())
          },
          onFailure: (error: E) => Channel.fail(error),
          onDone: () => Channel.void,
        })
      })
    return { expired: () => expired, watched }
  })
