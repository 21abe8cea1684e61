import { runProcess } from '@netbox-pbs/app-shell'
import { Data, Effect } from 'effect'
import { readFlags, run } from './cli/run.ts'

class CannotRun extends Data.TaggedError('CannotRun')<{ readonly message: string; readonly cause: unknown }> {}

const print = (text: string): void => {
  process.stdout.write(text)
}

const program = Effect.gen(function* () {
  const flags = yield* readFlags(process.argv.slice(2))
  const start = Effect.tryPromise({
    try: () => run(flags, print),
    catch: (cause) =>
      new CannotRun({ message: `simulator: ${cause instanceof Error ? cause.message : String(cause)}`, cause }),
  })
  yield* Effect.acquireRelease(start, ({ close }) => Effect.promise(close))
  return yield* Effect.never
})

runProcess(Effect.scoped(program))
