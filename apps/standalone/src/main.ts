import * as NodeRuntime from '@effect/platform-node/NodeRuntime'
import { Cause, Effect, Exit, Option } from 'effect'
import { CannotRun, WrongUsage } from './failures.ts'
import { readCommandLine, type Task } from './program.ts'
import { complain, progress } from './terminal.ts'

const task: Task = Effect.suspend(() => {
  try {
    return readCommandLine(process.argv.slice(2)) ?? Effect.void
  } catch (error) {
    return error instanceof WrongUsage ? Effect.fail(error) : Effect.die(error)
  }
})

/** Expected failures are one sentence and an exit code: 2 for wrong usage, 1 for the rest. A defect keeps its trace: it is a bug. */
const report = (cause: Cause.Cause<unknown>): number => {
  progress('')
  if (Cause.isInterruptedOnly(cause)) return 0
  const failure = Option.getOrNull(Cause.failureOption(cause))
  const expected = failure instanceof WrongUsage || failure instanceof CannotRun
  complain(expected ? failure.message : Cause.pretty(cause))
  return failure instanceof WrongUsage ? 2 : 1
}

NodeRuntime.runMain(task, {
  disableErrorReporting: true,
  disablePrettyLogger: true,
  teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? 0 : report(exit.cause)),
})
