#!/usr/bin/env node
import { runProcess, WrongUsage } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
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

// Whatever the command writes is its user's own: the embedded database makes its files as the process allows.
process.umask(0o077)

// A reader that has seen enough, like head, closes the pipe.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1))

runProcess(
  Effect.ensuring(
    task,
    Effect.sync(() => progress('')),
  ),
)
