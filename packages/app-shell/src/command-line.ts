import { isIP } from 'node:net'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { Cause, Effect, Exit } from 'effect'
import { WrongUsage } from './environment.ts'
import { isHostName } from './host-names.ts'
import { logFormats } from './log.ts'

/**
 * A command that throws `WrongUsage` on a mistake, and prints nothing but help and, where it is the
 * command of a program, the version.
 */
export function newCommand(name: string, description: string, version?: string): Command {
  const command = new Command(name)
  if (version !== undefined) command.version(version, '-V, --version', 'show the version')
  return command
    .description(description)
    .helpOption('-h, --help', 'show this text')
    .configureOutput({ writeErr: () => undefined })
    .exitOverride((error) => {
      if (error.exitCode === 0) throw error
      throw new WrongUsage({ message: sentence(error, command) })
    })
}

/**
 * Reads a command line and gives the flags of `command`. Help and the version are printed when
 * asked for, and interrupt: nothing is left to do.
 */
export const readFlags = <F extends object>(
  command: Command,
  args: ReadonlyArray<string>,
): Effect.Effect<F, WrongUsage> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(command.parse([...args], { from: 'user' }).opts<F>())
    } catch (error) {
      if (error instanceof WrongUsage) return error
      if (error instanceof CommanderError && error.exitCode === 0) return Effect.interrupt
      throw error
    }
  })

/**
 * The flags of a program that is no service, or the end of the process: with 0 after help, with 2 for
 * a mistake of the caller.
 */
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
  return `${text}; see ${help}`
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

/** Reads the port of a server. */
export const port: (text: string) => number = wholeNumber(0, 65_535)

const hostNames = (text: string, earlier: ReadonlyArray<string> = []): ReadonlyArray<string> => {
  if (!isHostName(text)) throw new InvalidArgumentError('It must be a name without scheme, port or path.')
  return [...earlier, text]
}

/** `--allowed-host` of the services that check `Host`: more names that clients may use. */
export const allowedHostFlag = (): Option =>
  new Option('--allowed-host <name>', 'another name that clients may use; can be repeated').argParser(hostNames)

const proxies = (text: string, earlier: ReadonlyArray<string> = []): ReadonlyArray<string> => {
  const [address = '', bits, ...rest] = text.split('/')
  const size = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= size)
  if (size < 0 || !isNetwork || rest.length > 0)
    throw new InvalidArgumentError('It must be an IP address or a network such as 10.0.0.0/8.')
  return [...earlier, text]
}

/** `--trusted-proxy` of the programs that answer REST requests: proxies whose `X-Forwarded-…` headers count. */
export const trustedProxyFlag = (): Option =>
  new Option(
    '--trusted-proxy <address>',
    'a proxy whose X-Forwarded headers count, or a network of them; can be repeated',
  ).argParser(proxies)

const basePath = (text: string): string => {
  const path = text.replace(/^\/?/, '/').replace(/\/$/, '')
  if (path !== '' && !/^(?:\/[\w.~-]+)+$/.test(path))
    throw new InvalidArgumentError('It must be a path such as /netbox.')
  return path
}

/** `--base-path` of the programs that answer REST requests: the path below which requests come in. */
export const basePathFlag = (): Option =>
  new Option('--base-path <path>', 'where a proxy that keeps the path serves REST and pages')
    .argParser(basePath)
    .default('')

/** `--statement-timeout` of the programs that answer REST requests, in seconds. */
export const statementTimeoutFlag = (): Option =>
  new Option('--statement-timeout <seconds>', 'how long a request may keep PostgreSQL busy')
    .argParser(wholeNumber(1, 600))
    .default(5)

/** `--log-format` of every service. */
export const logFormatFlag = (): Option =>
  new Option('--log-format <format>', 'how the log is written').choices(logFormats).default('text')
