import { WrongUsage } from '@netbox-pbs/app-shell'
import { CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import type { Task } from '../failures.ts'
import { Misused, newCommand } from './command.ts'
import { serverCommands } from './server-commands.ts'
import { startCommand } from './start-command.ts'
import { migrateCommand, syncCommand } from './sync-command.ts'
import { tokenCommands } from './token-commands.ts'

/**
 * Reads the command line. Null when help or the version was asked for and shown.
 *
 * @throws WrongUsage naming the flag or command and the fix
 */
export function readCommandLine(argv: ReadonlyArray<string>): Task | null {
  let task: Task | null = null
  const choose = (chosen: Task) => {
    task = chosen
  }
  const program = newCommand('netbox-pbs', 'An inventory of every Proxmox Backup Server, kept in step.')
  program.version(manifest.version, '--version', 'show the version')
  program.enablePositionalOptions()
  for (const add of [startCommand, syncCommand, serverCommands, tokenCommands, migrateCommand]) add(program, choose)
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof Misused) throw new WrongUsage({ message: error.message })
    if (error instanceof CommanderError && error.exitCode === 0) return null
    throw error
  }
  return task
}
