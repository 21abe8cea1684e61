/** How many jobs a worker has at a time, and which of them are slow. Times and durations are in milliseconds. */
export interface SlotOptions {
  readonly concurrency: number
  /** A job that has run for this long is slow, and so is its server until one of its jobs takes less. */
  readonly slowAfter: number
}

/** A slot. It is taken before a job for it is known. */
export interface Slot {
  /** Ids of servers whose jobs may not have this slot. */
  readonly avoid: ReadonlyArray<number>
  /** Gives the slot to a job of this server, until `free`. A null server is the gateway. */
  readonly use: (serverId: number | null, now: number) => void
  /** Frees the slot: the job has ended, or none was found. */
  readonly free: (now: number) => void
}

interface Held {
  serverId: number | null
  since: number | null
}

/**
 * The slots of a worker, which keep healthy servers going next to any number of slow ones. Slow
 * servers never take the last free slot, and while slow jobs hold all slots there is one more for
 * other servers.
 */
export class Slots {
  readonly #options: SlotOptions
  readonly #held = new Set<Held>()
  readonly #slowLately = new Set<number>()

  constructor(options: SlotOptions) {
    this.#options = options
  }

  /** Takes a slot; null: none is free. */
  take(now: number): Slot | null {
    const { concurrency } = this.#options
    const left = concurrency - this.#held.size
    if (left > 1 || (left === 1 && concurrency === 1)) return this.#slot([])
    const spare = left === 0 && [...this.#held].every((held) => this.#isSlow(held, now))
    return left === 1 || spare ? this.#slot(this.#slowServers(now)) : null
  }

  #slot(avoid: ReadonlyArray<number>): Slot {
    const held: Held = { serverId: null, since: null }
    this.#held.add(held)
    return {
      avoid,
      use: (serverId, now) => {
        held.serverId = serverId
        held.since = now
      },
      free: (now) => {
        this.#held.delete(held)
        if (held.serverId === null || held.since === null) return
        if (this.#isSlow(held, now)) this.#slowLately.add(held.serverId)
        else this.#slowLately.delete(held.serverId)
      },
    }
  }

  #isSlow({ since }: Held, now: number): boolean {
    return since !== null && now - since >= this.#options.slowAfter
  }

  #slowServers(now: number): ReadonlyArray<number> {
    const running = [...this.#held].filter((held) => this.#isSlow(held, now)).flatMap(({ serverId }) => serverId ?? [])
    return [...new Set([...this.#slowLately, ...running])]
  }
}
