import { runProcess, WrongUsage } from '@netbox-pbs/app-shell'
import { Effect, Logger } from 'effect'
import { readCommandLine } from './command-line/read-command-line.ts'
import type { Task } from './failures.ts'
import { progress } from './terminal.ts'

const task: Task = Effect.suspend(() => {
  try {
    return readCommandLine(process.argv.slice(2)) ?? Effect.void
  } catch (error) {
    return error instanceof WrongUsage ? error : Effect.die(error)
  }
})

/** Results are on standard output alone. */
const logger = Logger.replace(
  Logger.defaultLogger,
  process.stderr.isTTY ? Logger.prettyLogger({ stderr: true }) : Logger.withConsoleError(Logger.logfmtLogger),
)

// A reader that has seen enough, like head, closes the pipe.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1))

runProcess(task.pipe(Effect.ensuring(Effect.sync(() => progress(''))), Effect.provide(logger)))
