import { Channel, Chunk, Clock, Effect, type Scope } from 'effect'

/** Watches a stream for silence: only the time that somebody waits counts, not the time a slow reader takes. */
export interface Silence {
  /** Whether it lasted too long. */
  readonly expired: () => boolean
  /** Passes everything on, and knows when it waits. A wait ends with what is progress: anything, unless told. */
  readonly watched: <A, E>(
    isProgress?: (item: A) => boolean,
  ) => Channel.Channel<Chunk.Chunk<A>, Chunk.Chunk<A>, E, E, unknown, unknown>
}

/**
 * Calls `hangUp` once when a stream was silent for `millis`. One fiber a stream: a timeout around every pull would cost
 * more than the pulls.
 */
export const watchSilence = (millis: number, hangUp: Effect.Effect<void>): Effect.Effect<Silence, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    let waitingSince: number | null = null
    /** Waited since the last progress, the present wait apart. */
    let waited = 0
    let expired = false

    const remaining = () =>
      millis - waited - (waitingSince === null ? 0 : clock.unsafeCurrentTimeMillis() - waitingSince)
    const watch: Effect.Effect<void> = Effect.suspend(() => {
      const left = remaining()
      if (left > 0) return Effect.zipRight(Effect.sleep(left), watch)
      // A reader who is busy waits for nothing: the time goes on with the next wait.
      if (waitingSince === null) return Effect.zipRight(Effect.sleep(1000), watch)
      expired = true
      return hangUp
    })
    yield* Effect.forkScoped(watch)

    const watched = <A, E>(
      isProgress: (item: A) => boolean = () => true,
    ): Channel.Channel<Chunk.Chunk<A>, Chunk.Chunk<A>, E, E, unknown, unknown> =>
      Channel.suspend(() => {
        waitingSince = clock.unsafeCurrentTimeMillis()
        return Channel.readWith({
          onInput: (chunk: Chunk.Chunk<A>) => {
            const since = waitingSince ?? clock.unsafeCurrentTimeMillis()
            waited = Chunk.some(chunk, isProgress) ? 0 : waited + clock.unsafeCurrentTimeMillis() - since
            waitingSince = null
            return Channel.flatMap(Channel.write(chunk), () => watched<A, E>(isProgress))
          },
          onFailure: (error: E) => Channel.fail(error),
          onDone: () => Channel.void,
        })
      })
    return { expired: () => expired, watched }
  })
