import { Cause, Effect, Exit, Fiber } from 'effect'
import { readConfig } from './config.ts'
import { isLoopback } from './http/remote-address.ts'
import { type CannotStart, startGateway } from './program.ts'
import type { WrongUsage } from './wrong-usage.ts'

/** After this the process ends, whatever still holds it. */
const stopMillis = 4500

const program = Effect.scoped(
  Effect.gen(function* () {
    const config = yield* readConfig(process.argv.slice(2))
    const { url } = yield* startGateway(config)
    process.stdout.write(`The gateway listens on ${url}\n`)
    if (config.host !== 'localhost' && !isLoopback(config.host)) {
      process.stderr.write(
        'It listens beyond this machine without TLS: put a TLS proxy before it, for keys pass in the clear.\n',
      )
    }
    return yield* Effect.never
  }),
)

const exitCode = (error: CannotStart | WrongUsage): number =>
  error._tag === 'WrongUsage' || error._tag === 'SecretKeyInvalid' ? 2 : 1

const finish = (exit: Exit.Exit<never, CannotStart | WrongUsage>): number => {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return 0
  const failure = Cause.failureOption(exit.cause)
  const text = failure._tag === 'Some' ? failure.value.message : Cause.pretty(exit.cause)
  process.stderr.write(`${text}\n`)
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
