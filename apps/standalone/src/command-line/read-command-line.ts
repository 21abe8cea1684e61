import { newCommand, readFlags, type WrongUsage } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import manifest from '../../package.json' with { type: 'json' }
import type { Task } from '../failures.ts'
import { backupCommand, restoreCommand } from './backup-commands.ts'
import { serverCommands } from './server-commands.ts'
import { startCommand } from './start-command.ts'
import { migrateCommand, syncCommand } from './sync-command.ts'
import { tokenCommands } from './token-commands.ts'
import { userCommands } from './user-commands.ts'
import { repairCommand, verifyCommand } from './verify-commands.ts'

/**
 * Reads the command line and gives the work it asks for. `WrongUsage` names the flag or command and
 * the fix; help and the version interrupt once they are shown.
 */
export const readCommandLine = (argv: ReadonlyArray<string>): Effect.Effect<Task, WrongUsage> =>
  Effect.suspend(() => {
    let task: Task = Effect.void
    const choose = (chosen: Task) => {
      task = chosen
    }
    const program = newCommand(
      'netbox-pbs',
      'An inventory of every Proxmox Backup Server, kept in step.',
      manifest.version,
    )
    program.enablePositionalOptions()
    const commands = [
      startCommand,
      syncCommand,
      serverCommands,
      tokenCommands,
      userCommands,
      backupCommand,
      restoreCommand,
      migrateCommand,
      verifyCommand,
      repairCommand,
    ]
    for (const command of commands) program.addCommand(command(choose))
    return Effect.map(readFlags(program, argv), () => task)
  })
