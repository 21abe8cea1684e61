import { Command, type CommanderError, InvalidArgumentError } from 'commander'
import type { Task } from '../failures.ts'

/** Adds a command to its parent; `choose` takes its work. */
export type AddCommand = (parent: Command, choose: (task: Task) => void) => void

/** The command line is wrong; the message names the flag or command and where help is. */
export class Misused extends Error {}

/** A command that reports mistakes by throwing `Misused`, and prints nothing but help. */
export function newCommand(name: string, description: string): Command {
  const command = new Command(name)
  return command
    .description(description)
    .helpOption('--help', 'show this text')
    .helpCommand(false)
    .configureOutput({ writeErr: () => undefined })
    .exitOverride((error) => {
      if (error.exitCode === 0) throw error
      throw new Misused(sentence(error, command))
    })
}

function sentence(error: CommanderError, command: Command): string {
  const names: Array<string> = []
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name().split(' ', 1)[0] ?? '')
  const help = `"${names.join(' ')} --help"`
  // Thrown by a command that has only commands below it.
  if (error.code === 'commander.help') return `say what to do: ${help} lists the commands`
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\n\((.*)\)$/, ' ($1)')
    .replace(/\.$/, '')
  return `${text}; ${help} shows what there is`
}

/** Reads a whole number of a range. */
export const wholeNumber =
  (minimum: number, maximum: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < minimum || value > maximum)
      throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`)
    return value
  }

/** Reads a text that may not be empty. */
export const filled = (text: string): string => {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.')
  return text
}

/** Reads a port. */
export const port = wholeNumber(0, 65_535)
