import { Effect } from 'effect'

/** How long others waited for a small read, in milliseconds. */
export interface Waits {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Milliseconds between two reads. */
const every = 20

/**
 * Runs some work and during it starts a small read every 20 ms, whether or not the previous one has
 * returned, as independent clients do. Lateness counts from the time a read was due, so that a
 * process too busy to start a read counts as one that does not answer.
 */
export const waitingMeanwhile = <A, E, R, E2, R2>(
  read: Effect.Effect<unknown, E2, R2>,
  work: Effect.Effect<A, E, R>,
): Effect.Effect<readonly [A, Waits], E, R | R2> =>
  Effect.gen(function* () {
    const waits: Array<number> = []
    const ask = Effect.gen(function* () {
      for (let due = performance.now(); ; due += every) {
        const early = due - performance.now()
        if (early > 0) yield* Effect.sleep(early)
        yield* Effect.fork(Effect.tap(read, () => Effect.sync(() => waits.push(performance.now() - due))))
      }
    })
    return yield* Effect.map(Effect.raceFirst(work, ask), (result) => [result, summary(waits)] as const)
  })

/** The middle, the 99th of a hundred and the longest of some waits. */
export function summary(waits: ReadonlyArray<number>): Waits {
  const sorted = waits.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
