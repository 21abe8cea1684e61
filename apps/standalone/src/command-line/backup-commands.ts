import { filled, newCommand } from '@netbox-pbs/app-shell'
import type { Command } from 'commander'
import { Effect } from 'effect'
import { defaultDataDir } from '../config.ts'
import type { Choose } from '../failures.ts'

interface Flags {
  readonly dataDir: string
}

/** `backup`: save the data folder. */
export const backupCommand = (choose: Choose): Command =>
  newCommand('backup', 'save database, keys and token of a data folder, also while a system runs on it')
    .argument('<file>', 'the file to write; it must not be there', filled)
    .option('--data-dir <folder>', 'the data folder', filled, defaultDataDir)
    .action((file: string, { dataDir }: Flags) =>
      choose(
        Effect.flatMap(
          Effect.promise(() => import('../commands/backup.ts')),
          ({ backupCommand: backup }) => backup(file, dataDir),
        ),
      ),
    )

/** `restore`: make a data folder of a backup. */
export const restoreCommand = (choose: Choose): Command => {
  const command = newCommand('restore', 'make a data folder of a backup')
    .argument('<file>', 'what "netbox-pbs backup" wrote', filled)
    .option('--data-dir <folder>', 'the data folder, which must be empty', filled, defaultDataDir)
    .option('--force', 'replace what is in the data folder, after a question')
    .option('--yes', 'do not ask')
  command.action(
    (file: string, { dataDir, force = false, yes = false }: Flags & { force?: boolean; yes?: boolean }) => {
      if (yes && !force) command.error("option '--yes' goes with --force: add it, or leave --yes out")
      choose(
        Effect.flatMap(
          Effect.promise(() => import('../commands/restore.ts')),
          ({ restoreCommand: restore }) => restore(file, { dataDir, force, yes }),
        ),
      )
    },
  )
  return command
}
