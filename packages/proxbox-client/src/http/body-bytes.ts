import type { Readable } from 'node:stream'
import { Chunk, Effect, Option, Stream } from 'effect'

/** Bytes that may wait for a reader who is busy; what the kernel holds comes on top. */
const maxWaiting = 512 * 1024

/**
 * A body as it arrives. While the reader is busy at most half a MiB is read ahead, and the reader
 * gets all of it at once: a step of the stream costs far more than a look at its bytes. Fails with
 * the body's own error.
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
