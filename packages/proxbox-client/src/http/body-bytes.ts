import type { Readable } from 'node:stream'
import { Channel, Chunk, Clock, Effect, Option, type Scope, Stream } from 'effect'

/** Bytes that may wait for a busy reader; the kernel's buffers come on top. */
const maxWaiting = 512 * 1024

/**
 * A body as it arrives; fails with the body's own error. While the reader is busy at most half a
 * MiB is read ahead, and the reader gets all of it at once: a step of the stream costs far more
 * than a look at its bytes.
 */
export const bodyBytes = (body: Readable): Stream.Stream<Uint8Array, unknown> =>
  Stream.suspend(() => {
    const arrivals = new Arrivals(body)
    return Stream.repeatEffectChunkOption(arrivals.next)
  })

type Pull = Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<unknown>>

class Arrivals {
  readonly #body: Readable
  #waiting: Array<Uint8Array> = []
  #waitingBytes = 0
  /** How the body ended. */
  #end: Pull | null = null
  #wake: (() => void) | null = null
  #started = false

  constructor(body: Readable) {
    this.#body = body
  }

  readonly next: Pull = Effect.suspend(() => {
    this.#start()
    return this.#has() ? this.#take() : Effect.flatMap(this.#arrival, () => this.#take())
  })

  #has(): boolean {
    return this.#waiting.length > 0 || this.#end !== null
  }

  #take(): Pull {
    if (this.#waiting.length === 0) return this.#end ?? this.next
    const chunks = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    if (this.#body.isPaused()) this.#body.resume()
    return Effect.succeed(Chunk.unsafeFromArray(chunks))
  }

  readonly #arrival = Effect.async<void>((resume) => {
    // At the end of the turn: one turn of the event loop brings many reads of a socket.
    this.#wake = () => setImmediate(() => resume(Effect.void))
    return Effect.sync(() => {
      this.#wake = null
    })
  })

  #start(): void {
    if (this.#started) return
    this.#started = true
    this.#body
      .on('data', (chunk: Uint8Array) => {
        this.#waiting.push(chunk)
        this.#waitingBytes += chunk.length
        if (this.#waitingBytes >= maxWaiting) this.#body.pause()
        this.#awake()
      })
      .once('end', () => this.#over(Effect.fail(Option.none())))
      .once('error', (error) => this.#over(Effect.fail(Option.some(error))))
      .once('close', () => this.#over(Effect.fail(Option.some(new Error('the body was closed before its end')))))
  }

  #over(end: Pull): void {
    this.#end ??= end
    this.#awake()
  }

  #awake(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}

/** Watches a stream for silence: only time spent waiting for the sender counts, not that of a slow reader. */
interface Silence {
  /** Whether it lasted too long. */
  readonly expired: () => boolean
  /**
   * Passes everything on, and measures the waits. A wait ends with progress: any item, unless
   * `isProgress` is given.
   */
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
      // A busy reader does not wait for the sender: the time continues with the next wait.
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
