import { filled, newCommand } from '@netbox-pbs/app-shell'
import type { Command } from 'commander'
import { Effect } from 'effect'
import { defaultDataDir } from '../config.ts'
import type { Choose } from '../failures.ts'
import { type RemoteFlags, remoteFlags, withRemote } from '../remote/find-remote.ts'

interface SyncFlags extends RemoteFlags {
  readonly resource?: ReadonlyArray<string>
  readonly server?: ReadonlyArray<string>
  readonly light?: boolean
}

/** `sync`: read the fleet now. */
export const syncCommand = (choose: Choose): Command =>
  remoteFlags(newCommand('sync', 'sync the fleet now, and print the changes'))
    .option('--resource <name...>', 'servers, datastores, snapshots, jobs, tasks (default: all)')
    .option('--server <name...>', 'only these servers (default: all)')
    .option('--light', 'of snapshots, read only the groups that have changed, or that are due for a full list')
    .action((flags: SyncFlags) => {
      const request = {
        ...(flags.resource === undefined ? {} : { resources: flags.resource }),
        ...(flags.server === undefined ? {} : { servers: flags.server }),
        ...(flags.light === true ? { mode: 'light' as const } : {}),
      }
      choose(
        withRemote(flags, (system) =>
          Effect.flatMap(
            Effect.promise(() => import('../commands/sync.ts')),
            ({ syncNow }) => syncNow(system, request),
          ),
        ),
      )
    })

/** `migrate`: bring the database to this version. */
export const migrateCommand = (choose: Choose): Command =>
  newCommand('migrate', 'bring the database to this version; start does so by itself')
    .option('--data-dir <folder>', 'the data folder, unless DATABASE_URL names a database', filled, defaultDataDir)
    .action(({ dataDir }: { dataDir: string }) =>
      choose(
        Effect.flatMap(
          Effect.promise(() => import('../commands/migrate.ts')),
          ({ migrateCommand: migrate }) => migrate(dataDir),
        ),
      ),
    )
