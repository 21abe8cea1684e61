import { filled, newCommand } from '@netbox-pbs/app-shell'
import type { Command } from 'commander'
import { Effect } from 'effect'
import { defaultDataDir } from '../config.ts'
import type { Choose } from '../failures.ts'

interface Flags {
  readonly dataDir: string
  readonly json?: boolean
}

const valueFlags = (command: Command): Command =>
  command
    .option('--data-dir <folder>', 'the data folder, unless DATABASE_URL names a database', filled, defaultDataDir)
    .option('--json', 'print the results as JSON')

/** `verify`: compare stored values with the rows that they follow from. */
export const verifyCommand = (choose: Choose): Command =>
  valueFlags(
    newCommand(
      'verify',
      'compare all stored counters, times and marks with the rows that they follow from, also while a system runs; exit code 1: some differ, 2: not all could be read',
    ),
  ).action(({ dataDir, json = false }: Flags) =>
    choose(
      Effect.flatMap(
        Effect.promise(() => import('../commands/verify.ts')),
        ({ verifyCommand: verify }) => verify({ dataDir, json }),
      ),
    ),
  )

/** `repair`: compute stored values again. */
export const repairCommand = (choose: Choose): Command =>
  valueFlags(
    newCommand(
      'repair',
      'compute stored values again where they differ from their rows, also while a system runs; exit code 1: some are left, 2: not all could be read',
    ),
  )
    .option('--yes', 'do not ask')
    .action(({ dataDir, json = false, yes = false }: Flags & { yes?: boolean }) =>
      choose(
        Effect.flatMap(
          Effect.promise(() => import('../commands/verify.ts')),
          ({ repairCommand: repair }) => repair({ dataDir, json, yes }),
        ),
      ),
    )
