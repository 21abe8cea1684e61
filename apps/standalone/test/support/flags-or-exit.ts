import { readFlags } from '@netbox-pbs/app-shell'
import type { Command } from 'commander'
import { Cause, Effect, Exit } from 'effect'

/** The flags of a program, or the end of the process: with 0 after help, with 2 for a mistake of the caller. */
export function flagsOrExit<F extends object>(command: Command): F {
  const args = process.argv.slice(2).filter((argument) => argument !== '--')
  const read = Effect.runSyncExit(Effect.either(readFlags<F>(command, args)))
  if (Exit.isFailure(read)) {
    if (Cause.isInterruptedOnly(read.cause)) process.exit(0)
    throw Cause.squash(read.cause)
  }
  if (read.value._tag === 'Right') return read.value.right
  process.stderr.write(`${read.value.left.message}\n`)
  return process.exit(2)
}
