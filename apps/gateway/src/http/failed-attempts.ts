/** How many wrong keys an address may send, and for how long it is then refused. */
export interface FailureLimits {
  readonly attempts: number
  readonly seconds: number
}

/** The limits of proxbox-api. */
export const defaultFailureLimits: FailureLimits = { attempts: 5, seconds: 300 }

/** Addresses remembered at once; the oldest is forgotten first, so that a flood of addresses cannot fill the memory. */
const maxAddresses = 10_000

/** Wrong keys by address, in memory: a restart forgets them. */
export class FailedAttempts {
  readonly #byAddress = new Map<string, { count: number; until: number }>()
  readonly #limits: FailureLimits

  constructor(limits: FailureLimits) {
    this.#limits = limits
  }

  /** Attempts left before the address is refused. */
  remaining(address: string, now: number): number {
    return Math.max(0, this.#limits.attempts - (this.#current(address, now)?.count ?? 0))
  }

  /** Seconds until a refused address may try again; 0 when it may now. */
  retryAfter(address: string, now: number): number {
    const entry = this.#current(address, now)
    return entry === undefined || entry.count < this.#limits.attempts ? 0 : Math.ceil((entry.until - now) / 1000)
  }

  /** Notes a wrong key. The time starts anew with each. */
  note(address: string, now: number): void {
    const count = (this.#current(address, now)?.count ?? 0) + 1
    this.#byAddress.delete(address)
    this.#byAddress.set(address, { count, until: now + this.#limits.seconds * 1000 })
    if (this.#byAddress.size > maxAddresses) {
      const oldest = this.#byAddress.keys().next()
      if (oldest.done !== true) this.#byAddress.delete(oldest.value)
    }
  }

  /** A right key forgives. */
  clear(address: string): void {
    this.#byAddress.delete(address)
  }

  #current(address: string, now: number) {
    const entry = this.#byAddress.get(address)
    if (entry !== undefined && entry.until <= now) {
      this.#byAddress.delete(address)
      return undefined
    }
    return entry
  }
}
