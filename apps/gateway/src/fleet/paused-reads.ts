import type { FailedCode } from '@netbox-pbs/proxbox-client/contract'
import { Clock, Effect, Stream } from 'effect'
import { datetimeOf } from '../scopes/facts.ts'
import { ScopeFailed } from '../scopes/scope-failed.ts'

/** A failure after which a request is not made again for a while. */
export interface PauseRule {
  readonly code: FailedCode
  /** How long it is left alone, in seconds: after the first time in a row, the second, and so on. */
  readonly pauses: ReadonlyArray<number>
  /** What happened, in one run and in several: `it hung`. */
  readonly inRun: string
  readonly inRow: string
  /** What to do, as sentences. */
  readonly cure: string
}

/** A request that hangs costs a timeout, and a thread of proxmox-backup-proxy until that restarts. */
export const hanging: PauseRule = {
  code: 'timeout',
  pauses: [60, 10 * 60, 60 * 60, 6 * 60 * 60],
  inRun: 'it hung',
  inRow: 'it did not answer in time',
  cure: 'On the server, look at the disks of its datastores; systemctl restart proxmox-backup-proxy ends requests that hang',
}

/** A server that bans addresses after failed logins must not see a refused token in every run. */
export const refusing: PauseRule = {
  code: 'unauthorized',
  pauses: [0, 60 * 60, 6 * 60 * 60],
  inRun: 'the API token was refused',
  inRow: 'the API token was refused',
  cure: 'Check token id and secret, and that neither the token nor its user is disabled or expired. A test of the server that succeeds, and saving it with its secret, ask again at once',
}

/** For whom something is asked. */
export interface Asking {
  /** The run that asks; undefined: none, so that only pauses count. */
  readonly run: string | undefined
  /** Whether it is also left alone for a while in later runs. */
  readonly pauses: boolean
}

interface Paused {
  readonly times: number
  /** Epoch milliseconds. */
  readonly until: number
  readonly run: string | undefined
}

/**
 * The requests to one server that failed by the code of a rule. None of them is made again in the same run; one that
 * pauses is then made more and more rarely.
 */
export class PausedReads {
  readonly #rule: PauseRule
  readonly #paused = new Map<string, Paused>()

  constructor(rule: PauseRule) {
    this.#rule = rule
  }

  /** Forgets all of them: each is made again. */
  resume(): void {
    this.#paused.clear()
  }

  /** Reads something unless it is paused; then it fails without being asked for. */
  readonly ask = <A>(
    what: string,
    asking: Asking,
    read: Effect.Effect<A, ScopeFailed>,
  ): Effect.Effect<A, ScopeFailed> =>
    Effect.zipRight(
      this.#refusePaused(what, asking),
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
        this.#refusePaused(what, asking),
        rows.pipe(
          Stream.tapError((failure) => this.#note(what, asking, failure)),
          Stream.concat(Stream.drain(Stream.fromEffect(this.#discard(what)))),
        ),
      ),
    )

  #refusePaused(what: string, asking: Asking): Effect.Effect<void, ScopeFailed> {
    const { inRun, inRow } = this.#rule
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const known = this.#paused.get(what)
      if (known === undefined) return Effect.void
      if (asking.run !== undefined && known.run === asking.run)
        return this.#notRequested(what, `${inRun} in this run already`)
      if (!asking.pauses || now >= known.until) return Effect.void
      const times = known.times === 1 ? 'once' : `${known.times} times in a row`
      return this.#notRequested(
        what,
        `${inRow}, ${times}; it is asked for again after ${datetimeOf(known.until / 1000)}`,
      )
    })
  }

  #notRequested(what: string, why: string): ScopeFailed {
    const { code, cure } = this.#rule
    return new ScopeFailed({
      code,
      message: `${what} was not asked for: ${why}. ${cure}`,
      retryable: code === 'timeout',
    })
  }

  #discard(what: string): Effect.Effect<void> {
    return Effect.sync(() => void this.#paused.delete(what))
  }

  #note(what: string, { run }: Asking, { code }: ScopeFailed): Effect.Effect<void> {
    const { code: ours, pauses } = this.#rule
    if (code !== ours) return Effect.void
    return Effect.map(Clock.currentTimeMillis, (now) => {
      const known = this.#paused.get(what)
      const times = (known?.times ?? 0) + 1
      const pause = pauses[Math.min(times, pauses.length) - 1] ?? 0
      this.#paused.set(what, { times, until: now + pause * 1000, run: run ?? known?.run })
    })
  }
}
