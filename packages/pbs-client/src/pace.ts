import { leastRate, longestAnswerSeconds } from './answer-limits.ts'

/** The peer was silent for too long, or too slow altogether. */
export class Silence extends Error {}

/**
 * How long one answer may be waited for: silences of up to the timeout, twice the timeout and a
 * second for every 8 KiB that came altogether, and never more than 15 minutes. Only the time counts
 * in which somebody waits for bytes, not that of a slow consumer.
 */
export class Pace {
  #bytes = 0
  #waitedMillis = 0

  constructor(readonly timeoutSeconds: number) {}

  /** Milliseconds until the wait for the next byte has to end; 0 when it is over. */
  get remainingMillis(): number {
    return Math.max(0, Math.min(this.timeoutSeconds * 1000, this.#allowedMillis() - this.#waitedMillis))
  }

  /** Notes a wait, and the bytes it ended with. */
  note(waitedMillis: number, bytes: number): void {
    this.#waitedMillis += waitedMillis
    this.#bytes += bytes
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
