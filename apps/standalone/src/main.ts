#!/usr/bin/env node
import { runProcess } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { readCommandLine } from './command-line/read-command-line.ts'
import { progress } from './terminal.ts'

// Files of the command are readable by its user only: the embedded database creates its files under
// this mask.
process.umask(0o077)

// A reader that has seen enough, like head, closes the pipe.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1))

runProcess(
  Effect.ensuring(
    Effect.flatten(readCommandLine(process.argv.slice(2))),
    Effect.sync(() => progress('')),
  ),
)
