import type { Readable } from 'node:stream'
import { Effect, Option } from 'effect'
import { eventCallback } from './event-callback.ts'
import { MalformedList } from './item-splitter.ts'
import type { RequestMeter } from './request-meter.ts'

/** Bytes in the pieces in which they came. */
type Pieces = ReadonlyArray<Buffer>

/**
 * The next bytes of a body, or None at its end; it reads in paused mode, so that without a reader
 * TCP holds the sender back. Interruption removes every listener; the scope of the request closes
 * the body.
 */
export const readPieces = (body: Readable, pace: Pace): Effect.Effect<Option.Option<Pieces>, unknown> =>
  Effect.suspend(() => {
    const pieces = takeBuffered(body)
    if (pieces.length === 0) return nextPieces(body, pace)
    pace.note(0, lengthOf(pieces))
    return Effect.succeed(Option.some(pieces))
  })

const lengthOf = (pieces: Pieces): number => pieces.reduce((sum, { length }) => sum + length, 0)

/** So many bytes of a body wait in memory, and are taken at once, and one piece more. */
export const mostTaken = 128 * 1024

/** What waits in a body; none: nothing. */
const takeBuffered = (body: Readable): Pieces => {
  const pieces: Array<Buffer> = []
  for (let bytes = 0; bytes < mostTaken; ) {
    // Node's types say any; without an encoding it is a Buffer or null. Node 26 gives one buffer at a time.
    const piece: Buffer | null = body.read()
    if (piece === null) break
    pieces.push(piece)
    bytes += piece.length
  }
  return pieces
}

const nextPieces = (body: Readable, pace: Pace): Effect.Effect<Option.Option<Pieces>, unknown> =>
  Effect.async((resume) => {
    const started = performance.now()
    let look: NodeJS.Immediate | undefined
    const settle = (outcome: Effect.Effect<Option.Option<Pieces>, unknown>, bytes = 0) => {
      pace.note(performance.now() - started, bytes)
      discard()
      resume(outcome)
    }
    const die = (defect: unknown) => settle(Effect.die(defect))
    const attempt = eventCallback(die, () => {
      look = undefined
      const pieces = takeBuffered(body)
      if (pieces.length > 0) settle(Effect.succeed(Option.some(pieces)), lengthOf(pieces))
      else if (body.errored !== null) settle(Effect.fail(body.errored))
      else if (body.readableEnded) settle(Effect.succeed(Option.none()))
      else if (body.destroyed) settle(Effect.fail(new Error('the connection was closed inside the answer')))
    })
    // At the end of the turn: one turn of the event loop brings many records of TLS, and a step of a stream costs far
    // more than a look at its bytes.
    const attemptSoon = () => {
      look ??= setImmediate(attempt)
    }
    const failed = (error: unknown) => settle(Effect.fail(error))
    const discard = () => {
      clearTimeout(timer)
      clearImmediate(look)
      body.off('readable', attemptSoon).off('end', attempt).off('close', attempt).off('error', failed)
    }
    const wait = pace.remainingMillis
    const timer = setTimeout(() => {
      pace.note(wait, 0)
      const failure = pace.failure()
      pace.note(-wait, 0)
      failed(failure)
    }, wait)
    body.on('readable', attemptSoon).on('end', attempt).on('close', attempt).on('error', failed)
    attempt()
    return Effect.sync(() => {
      pace.note(performance.now() - started, 0)
      discard()
    })
  })

/** The whole body; fails with {@link MalformedList} beyond the limit. */
export const readWhole = (body: Readable, pace: Pace, maxBytes: number): Effect.Effect<Buffer, unknown> =>
  Effect.gen(function* () {
    const chunks: Array<Buffer> = []
    let bytes = 0
    while (true) {
      const pieces = yield* readPieces(body, pace)
      if (Option.isNone(pieces)) return Buffer.concat(chunks)
      bytes += lengthOf(pieces.value)
      if (bytes > maxBytes) return yield* Effect.fail(new MalformedList(`the answer is larger than ${maxBytes} bytes`))
      chunks.push(...pieces.value)
    }
  })

/** The beginning of a body as text, for errors; never fails. */
export const readBeginning = (body: Readable, pace: Pace, maxBytes: number): Effect.Effect<string> =>
  Effect.gen(function* () {
    const chunks: Array<Buffer> = []
    let bytes = 0
    while (bytes < maxBytes) {
      const pieces = yield* readPieces(body, pace).pipe(Effect.orElseSucceed(() => Option.none<Pieces>()))
      if (Option.isNone(pieces)) break
      bytes += lengthOf(pieces.value)
      chunks.push(...pieces.value)
    }
    return Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8')
  })

/** Bytes a second that a server must send on average while it is waited for, see `Pace`. */
const leastRate = 8 * 1024

/** Seconds for which one answer is waited for altogether. */
const longestAnswerSeconds = 15 * 60

/** The peer was silent for too long, or too slow altogether. */
export class Silence extends Error {}

/**
 * The time limits of one answer: silences of up to the timeout, in total twice the timeout and a
 * second for every 8 KiB received, and never more than 15 minutes. Only time spent waiting for
 * bytes counts, not that of a slow consumer.
 */
export class Pace {
  #bytes = 0
  #waitedMillis = 0

  /** @param meter - Gets every wait as well. */
  constructor(
    readonly timeoutSeconds: number,
    readonly meter?: Pick<RequestMeter, 'waited'>,
  ) {}

  /** Milliseconds until the wait for the next byte has to end; 0 when it is over. */
  get remainingMillis(): number {
    return Math.max(0, Math.min(this.timeoutSeconds * 1000, this.#allowedMillis() - this.#waitedMillis))
  }

  /** Notes a wait, and the bytes it ended with. */
  note(waitedMillis: number, bytes: number): void {
    this.#waitedMillis += waitedMillis
    this.#bytes += bytes
    this.meter?.waited(waitedMillis, bytes)
  }

  /** Why the wait is over, after one of `remainingMillis`. */
  failure(): Silence {
    const seconds = Math.round(this.#waitedMillis / 1000)
    return this.#waitedMillis < this.#allowedMillis()
      ? new Silence(`no byte for ${this.timeoutSeconds} s inside the answer`)
      : new Silence(`only ${this.#bytes} bytes of the answer came in ${seconds} s, and its end did not`)
  }

  #allowedMillis(): number {
    return Math.min(longestAnswerSeconds, 2 * this.timeoutSeconds + this.#bytes / leastRate) * 1000
  }
}
