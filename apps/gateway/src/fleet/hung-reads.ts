import { Clock, Effect } from 'effect'
import { ScopeFailed } from '../frames/scope-failed.ts'
import { datetimeOf } from '../translate/datetime.ts'

/** How long a list that hung is left alone, in seconds: after the first time in a row, the second, and so on. */
const pauses = [60, 10 * 60, 60 * 60, 6 * 60 * 60] as const

interface Hung {
  readonly times: number
  /** Epoch milliseconds. */
  readonly until: number
}

/**
 * The lists of one server that hung. Each request that hangs keeps a thread of proxmox-backup-proxy until that restarts, so
 * such a list is not asked for again in the same run, and more and more rarely after it.
 */
export class HungReads {
  readonly #hung = new Map<string, Hung>()

  /** Reads a list unless it hung lately; then it fails without being asked for. */
  readonly ask = <A>(list: string, read: Effect.Effect<A, ScopeFailed>): Effect.Effect<A, ScopeFailed> =>
    Effect.gen(this, function* () {
      const known = this.#hung.get(list)
      if (known !== undefined && (yield* Clock.currentTimeMillis) < known.until) return yield* notAsked(list, known)
      return yield* read.pipe(
        Effect.tap(() => Effect.sync(() => this.#hung.delete(list))),
        Effect.tapError(({ code }) =>
          code === 'timeout' ? Effect.map(Clock.currentTimeMillis, (now) => this.#note(list, now)) : Effect.void,
        ),
      )
    })

  #note(list: string, now: number): void {
    const times = (this.#hung.get(list)?.times ?? 0) + 1
    const pause = pauses[Math.min(times, pauses.length) - 1] ?? 0
    this.#hung.set(list, { times, until: now + pause * 1000 })
  }
}

const notAsked = (list: string, { times, until }: Hung) =>
  new ScopeFailed({
    code: 'timeout',
    message: `${list} was not asked for: it did not answer in time, ${times === 1 ? 'once' : `${times} times in a row`}, and is asked for again after ${datetimeOf(until / 1000)}. On the server, look at the disks of the datastore; systemctl restart proxmox-backup-proxy ends requests that hang`,
    retryable: true,
  })
