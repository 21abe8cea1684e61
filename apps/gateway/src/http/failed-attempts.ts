/** How many wrong keys a caller may send, and for how long its wrong keys are then answered with 429. */
export interface FailureLimits {
  readonly attempts: number
  readonly seconds: number
}

/** The limits of proxbox-api. */
export const defaultFailureLimits: FailureLimits = { attempts: 5, seconds: 300 }

/** Callers remembered at once; the oldest is dropped first, so that a flood of addresses cannot fill the memory. */
const maxCallers = 10_000

/** Wrong keys by caller (an address and the beginning of the key), in memory: a restart drops them. */
export class FailedAttempts {
  readonly #byCaller = new Map<string, { count: number; until: number }>()
  readonly #limits: FailureLimits

  constructor(limits: FailureLimits) {
    this.#limits = limits
  }

  /** Attempts left before the caller is refused. */
  remaining(caller: string, now: number): number {
    return Math.max(0, this.#limits.attempts - (this.#current(caller, now)?.count ?? 0))
  }

  /** Seconds until a refused caller may try again; 0 when it may now. */
  retryAfter(caller: string, now: number): number {
    const entry = this.#current(caller, now)
    return entry === undefined || entry.count < this.#limits.attempts ? 0 : Math.ceil((entry.until - now) / 1000)
  }

  /** Notes a wrong key. The time starts again with each. */
  note(caller: string, now: number): void {
    const count = (this.#current(caller, now)?.count ?? 0) + 1
    this.#byCaller.delete(caller)
    this.#byCaller.set(caller, { count, until: now + this.#limits.seconds * 1000 })
    if (this.#byCaller.size > maxCallers) {
      const oldest = this.#byCaller.keys().next()
      if (oldest.done !== true) this.#byCaller.delete(oldest.value)
    }
  }

  /** A right key forgives. */
  clear(caller: string): void {
    this.#byCaller.delete(caller)
  }

  #current(caller: string, now: number) {
    const entry = this.#byCaller.get(caller)
    if (entry !== undefined && entry.until <= now) {
      this.#byCaller.delete(caller)
      return undefined
    }
    return entry
  }
}
