import { Clock, Effect, Stream } from 'effect'
import { datetimeOf } from '../scopes/facts.ts'
import { ScopeFailed } from '../scopes/scope-failed.ts'

/** How long a list that hung is left alone, in seconds: after the first time in a row, the second, and so on. */
const pauses = [60, 10 * 60, 60 * 60, 6 * 60 * 60] as const

/** For whom something is asked. */
export interface Asking {
  /** The run that asks; undefined: none, so that only pauses count. */
  readonly run: string | undefined
  /** Whether a hung list is also left alone for a while in later runs. */
  readonly pauses: boolean
}

interface Hung {
  readonly times: number
  /** Epoch milliseconds. */
  readonly until: number
  readonly run: string | undefined
}

/**
 * The hung lists of one server, which are not requested again in the same run; a list that waits
 * for a disk is then requested more and more rarely. Each hung request costs a timeout, and a
 * thread of proxmox-backup-proxy until that restarts.
 */
export class HungReads {
  readonly #hung = new Map<string, Hung>()

  /** Reads something unless it hung lately; then it fails without being asked for. */
  readonly ask = <A>(
    what: string,
    asking: Asking,
    read: Effect.Effect<A, ScopeFailed>,
  ): Effect.Effect<A, ScopeFailed> =>
    Effect.zipRight(
      this.#refuseHung(what, asking),
      read.pipe(
        Effect.tap(() => this.#discard(what)),
        Effect.tapError((failure) => this.#note(what, asking, failure)),
      ),
    )

  /** The same for a list that is read as it is pulled. */
  readonly askStream = <A>(
    what: string,
    asking: Asking,
    rows: Stream.Stream<A, ScopeFailed>,
  ): Stream.Stream<A, ScopeFailed> =>
    Stream.unwrap(
      Effect.as(
        this.#refuseHung(what, asking),
        rows.pipe(
          Stream.tapError((failure) => this.#note(what, asking, failure)),
          Stream.concat(Stream.drain(Stream.fromEffect(this.#discard(what)))),
        ),
      ),
    )

  #refuseHung(what: string, asking: Asking): Effect.Effect<void, ScopeFailed> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const known = this.#hung.get(what)
      if (known === undefined) return Effect.void
      if (asking.run !== undefined && known.run === asking.run) return notRequested(what, 'it hung in this run already')
      return asking.pauses && now < known.until ? notRequested(what, restingOf(known)) : Effect.void
    })
  }

  #discard(what: string): Effect.Effect<void> {
    return Effect.sync(() => void this.#hung.delete(what))
  }

  #note(what: string, { run }: Asking, { code }: ScopeFailed): Effect.Effect<void> {
    if (code !== 'timeout') return Effect.void
    return Effect.map(Clock.currentTimeMillis, (now) => {
      const known = this.#hung.get(what)
      const times = (known?.times ?? 0) + 1
      const pause = pauses[Math.min(times, pauses.length) - 1] ?? 0
      this.#hung.set(what, { times, until: now + pause * 1000, run: run ?? known?.run })
    })
  }
}

const restingOf = ({ times, until }: Hung): string =>
  `it did not answer in time, ${times === 1 ? 'once' : `${times} times in a row`}, and is asked for again after ${datetimeOf(until / 1000)}`

const notRequested = (what: string, why: string) =>
  new ScopeFailed({
    code: 'timeout',
    message: `${what} was not asked for: ${why}. On the server, look at the disks of its datastores; systemctl restart proxmox-backup-proxy ends requests that hang`,
    retryable: true,
  })
