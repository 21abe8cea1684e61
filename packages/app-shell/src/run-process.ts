import { Cause, Effect, Exit, Fiber, Logger, Option } from 'effect'

/** After this the process ends, whatever still holds it: five seconds are promised. */
const stopMillis = 4500

/** Standard output is for results. */
const logToStandardError = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))

/** Failures that are the caller's: a flag, a variable, a key that is none. */
const usageTags = new Set(['WrongUsage', 'SecretKeyInvalid'])

/**
 * Runs the process: until the program ends, or SIGTERM or SIGINT stops it and closes its scope. An expected failure is told in its one sentence on
 * standard error, where the log goes too: exit code 2 when the caller is wrong, 1 otherwise. A defect keeps its trace, for it is a bug.
 */
export function runProcess<E extends { readonly _tag: string; readonly message: string }>(
  program: Effect.Effect<unknown, E>,
): void {
  const fiber = Effect.runFork(Effect.provide(program, logToStandardError))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(0), stopMillis).unref()
      Effect.runFork(Fiber.interrupt(fiber))
    })
  }
  fiber.addObserver((exit) => {
    process.exitCode = finish(exit)
  })
}

function finish<E extends { readonly _tag: string; readonly message: string }>(exit: Exit.Exit<unknown, E>): number {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return 0
  const failure = Option.getOrNull(Cause.failureOption(exit.cause))
  process.stderr.write(`${failure === null ? Cause.pretty(exit.cause) : failure.message}\n`)
  return failure !== null && usageTags.has(failure._tag) ? 2 : 1
}
