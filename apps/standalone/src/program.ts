import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { Effect } from 'effect'
import { migrateCommand } from './commands/migrate.ts'
import { addServer, listServers, removeServer, testServer } from './commands/server.ts'
import { syncNow } from './commands/sync.ts'
import { createToken, listTokens, revokeToken } from './commands/token.ts'
import { type CannotRun, WrongUsage } from './failures.ts'
import { needRemote, type RemoteFlags } from './remote/find-remote.ts'
import type { Remote } from './remote/remote-api.ts'
import { readSecret } from './secret-input.ts'
import { parseStartOptions } from './start/options.ts'
import { start } from './start/start.ts'
import { withTokenHome } from './tokens/token-home.ts'

/** A command's work. */
export type Task = Effect.Effect<void, WrongUsage | CannotRun>

const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/**
 * Reads the command line. Null when help was asked for and shown.
 *
 * @throws WrongUsage naming the flag or command and the fix
 */
export function readCommandLine(argv: ReadonlyArray<string>): Task | null {
  let task: Task | null = null
  const program = commands((chosen) => {
    task = chosen
  })
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return null
    throw new WrongUsage({ message: error.message.replace(/^error: /, '') })
  }
  if (task === null) throw new WrongUsage({ message: 'say what to do: "netbox-pbs --help" lists the commands' })
  return task
}

const quiet = (command: Command): Command => command.exitOverride().configureOutput({ writeErr: () => undefined })

function commands(choose: (task: Task) => void): Command {
  const program = quiet(
    new Command('netbox-pbs').description('An inventory of every Proxmox Backup Server, kept in step.'),
  )
  program.enablePositionalOptions()

  quiet(program.command('start').description('run gateway, worker and api in one process'))
    .option('--host <address>', 'where api and gateway listen', '127.0.0.1')
    .option('--port <port>', 'port of REST and pages', '8000')
    .option('--gateway-port <port>', 'port of the gateway', '8800')
    .option(
      '--data-dir <folder>',
      'where the embedded database and the keys lie (default ./data; a demo keeps nothing unless asked)',
    )
    .option('--demo', 'add simulated servers and read them every minute')
    .option('--demo-servers <number>', 'how many', '3')
    .option('--demo-snapshots <number>', 'over the whole fleet', '2000')
    .option('--seed <number>', 'another seed, another fleet', '1')
    .action((flags: unknown) => choose(start(parseStartOptions(flags))))

  quiet(program.command('migrate').description('bring the database to this version'))
    .option('--data-dir <folder>', 'the data folder, unless DATABASE_URL names a database', './data')
    .action(({ dataDir }: { dataDir: string }) => choose(migrateCommand(dataDir)))

  const token = quiet(program.command('token').description('API tokens'))
  remote(token.command('create').description('make a token; it is shown this once'))
    .option('--read-only', 'it may not write')
    .option('--expires <time>', 'RFC 3339, like 2027-01-01T00:00:00Z')
    .option('--description <text>', 'what it is for', '')
    .action((flags: RemoteFlags & { readOnly?: boolean; expires?: string; description: string }) =>
      choose(
        withTokenHome(flags, (home) =>
          createToken(home, {
            readOnly: flags.readOnly === true,
            expires: flags.expires ?? null,
            description: flags.description,
          }),
        ),
      ),
    )
  remote(token.command('list').description('the tokens, without their secrets')).action((flags: RemoteFlags) =>
    choose(withTokenHome(flags, listTokens)),
  )
  remote(token.command('revoke <id>').description('end a token')).action((id: string, flags: RemoteFlags) =>
    choose(withTokenHome(flags, (home) => revokeToken(home, wholeNumber(id)))),
  )

  const server = quiet(program.command('server').description('the Proxmox Backup Servers'))
  remote(
    server.command('add <name>').description('connect a server; its token secret is asked for, or read from a file'),
  )
    .requiredOption('--host <host>', 'name or address')
    .option('--port <port>', 'port', wholeNumber, 8007)
    .requiredOption('--token-id <id>', 'user@realm!tokenname')
    .option('--token-secret-file <file>', 'the file that holds the secret; - is standard input')
    .option('--fingerprint <sha256>', 'pin this certificate', '')
    .option('--no-verify-ssl', 'accept any certificate when none is pinned')
    .action(
      (
        name: string,
        flags: RemoteFlags & {
          host: string
          port: number
          tokenId: string
          tokenSecretFile?: string
          fingerprint: string
          verifySsl: boolean
        },
      ) =>
        choose(
          withRemote(flags, (system) =>
            readSecret(flags.tokenSecretFile).pipe(
              Effect.flatMap((secret) =>
                addServer(
                  system,
                  {
                    name,
                    host: flags.host,
                    port: flags.port,
                    token_id: flags.tokenId,
                    fingerprint: flags.fingerprint,
                    verify_ssl: flags.verifySsl,
                  },
                  secret,
                ),
              ),
            ),
          ),
        ),
    )
  remote(server.command('test <name>').description('try the connection')).action((name: string, flags: RemoteFlags) =>
    choose(withRemote(flags, (system) => testServer(system, name))),
  )
  remote(server.command('list').description('the servers and how they were last seen')).action((flags: RemoteFlags) =>
    choose(withRemote(flags, listServers)),
  )
  remote(server.command('remove <name>').description('remove a server and all that is below it')).action(
    (name: string, flags: RemoteFlags) => choose(withRemote(flags, (system) => removeServer(system, name))),
  )

  remote(program.command('sync').description('read the fleet now, and say what changed'))
    .option('--resource <name...>', 'servers, datastores, snapshots, jobs (default: all)')
    .option('--server <name...>', 'only these servers (default: all)')
    .action((flags: RemoteFlags & { resource?: ReadonlyArray<string>; server?: ReadonlyArray<string> }) =>
      choose(
        withRemote(flags, (system) =>
          syncNow(system, {
            ...(flags.resource === undefined ? {} : { resources: flags.resource }),
            ...(flags.server === undefined ? {} : { servers: flags.server }),
          }),
        ),
      ),
    )
  return program
}

const remote = (command: Command): Command =>
  quiet(command)
    .option('--data-dir <folder>', 'the data folder of the running system', './data')
    .option('--url <url>', 'another system, instead')
    .option('--token <token>', 'the API token for --url')

const withRemote = (flags: RemoteFlags, work: (system: Remote) => Task): Task =>
  needRemote(flags).pipe(Effect.flatMap(work))
