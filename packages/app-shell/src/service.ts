import { Effect, type Scope } from 'effect'
import { type LogFormat, logLayer } from './log.ts'
import { allRun, starters } from './starter.ts'

/** A service that has started. */
export interface Started {
  /** What the log says of it, such as its address. */
  readonly facts: Readonly<Record<string, unknown>>
  /** Says on standard output that it serves. */
  readonly announce: () => unknown
}

/** A service that runs until its process is told to stop. */
export interface Service<E> {
  /** How the log names it: `api`. */
  readonly name: string
  readonly version: string
  readonly logFormat: LogFormat
  /** Starts it, in the scope that ends with it. */
  readonly start: Effect.Effect<Started, E, Scope.Scope>
}

/** How often the package managers that started the process are looked for. */
const lookEvery = '1 second'

/**
 * Runs a service and logs when it has started, when it is told to stop, and when it has stopped. The end of a package manager that started the process counts as SIGTERM:
 * `npx` does not pass on a signal that is sent to it alone, and the service would run on without a parent.
 */
export const runService = <E>({ name, version, logFormat, start }: Service<E>): Effect.Effect<never, E> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      // Before it serves: whoever sees that it does may end what started it at once.
      const links = starters()
      let started = false
      yield* Effect.addFinalizer(() => (started ? Effect.logInfo('stopped') : Effect.void))
      const { facts, announce } = yield* restore(start)
      started = true
      yield* Effect.annotateLogs(Effect.logInfo('started'), { version, ...facts })
      announce()
      return yield* Effect.onInterrupt(restore(endOf(links)), () => Effect.logInfo('stopping'))
    }),
  ).pipe(Effect.scoped, Effect.annotateLogs({ app: name }), Effect.provide(logLayer(logFormat)))

const endOf = (links: ReturnType<typeof starters>): Effect.Effect<never> => {
  if (links.length === 0) return Effect.never
  return Effect.zipRight(
    Effect.sleep(lookEvery),
    Effect.sync(() => allRun(links)),
  ).pipe(
    Effect.repeat({ while: (run) => run }),
    Effect.zipRight(Effect.logWarning('the package manager that started this process has ended')),
    Effect.zipRight(Effect.sync(() => process.kill(process.pid, 'SIGTERM'))),
    Effect.zipRight(Effect.never),
  )
}
