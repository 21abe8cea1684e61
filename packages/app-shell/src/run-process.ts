import { Cause, Effect, Exit, Fiber, Option } from 'effect'
import { initialLog } from './log.ts'
import { printableLines } from './printable.ts'

/** After this the process ends, whatever still holds it: five seconds are promised. */
const stopMillis = 4500

/** An expected failure. `exitCode` is 1, or 2 for a caller's mistake, unless it says otherwise. */
interface Failure {
  readonly _tag: string
  readonly message: string
  readonly exitCode?: number
}

/** Failures that are the caller's: a flag, a variable, a key that is none. */
const usageTags = new Set(['WrongUsage', 'SecretKeyInvalid'])

/**
 * Runs the process: until the program ends, or SIGTERM, SIGINT or SIGHUP stops it and closes its scope. A second signal ends the process at once. An expected failure is
 * told in its one sentence on standard error, where the log goes too: exit code 2 when the caller is wrong, 1 otherwise. A defect keeps its trace, for it is a bug.
 */
export function runProcess<E extends Failure>(program: Effect.Effect<unknown, E>): void {
  const fiber = Effect.runFork(Effect.provide(program, initialLog))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(0), stopMillis).unref()
      Effect.runFork(Fiber.interrupt(fiber))
    })
  }
  fiber.addObserver((exit) => {
    process.exitCode = finish(exit)
  })
}

function finish<E extends Failure>(exit: Exit.Exit<unknown, E>): number {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return 0
  const failure = Option.getOrNull(Cause.failureOption(exit.cause))
  process.stderr.write(`${printableLines(failure === null ? Cause.pretty(exit.cause) : failure.message)}\n`)
  if (failure === null) return 1
  return failure.exitCode ?? (usageTags.has(failure._tag) ? 2 : 1)
}
