import { Cause, Effect, Exit, Fiber } from 'effect'
import { readConfig } from './config.ts'
import { type CannotStart, startApi } from './program.ts'

/** After this the process ends, whatever still holds it. */
const stopMillis = 4500

const program = Effect.scoped(
  Effect.gen(function* () {
    const { url } = yield* startApi(yield* readConfig(process.argv.slice(2)))
    process.stdout.write(`The API listens on ${url}\n`)
    return yield* Effect.never
  }),
)

const exitCode = (error: CannotStart): number =>
  error._tag === 'WrongUsage' || error._tag === 'SecretKeyInvalid' ? 2 : 1

const finish = (exit: Exit.Exit<never, CannotStart>): number => {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return 0
  const failure = Cause.failureOption(exit.cause)
  process.stderr.write(`${failure._tag === 'Some' ? failure.value.message : Cause.pretty(exit.cause)}\n`)
  return failure._tag === 'Some' ? exitCode(failure.value) : 1
}

const fiber = Effect.runFork(program)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    setTimeout(() => process.exit(0), stopMillis).unref()
    Effect.runFork(Fiber.interrupt(fiber))
  })
}
fiber.addObserver((exit) => {
  process.exitCode = finish(exit)
})
