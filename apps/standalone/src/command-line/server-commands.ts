import { filled, newCommand, WrongUsage, wholeNumber } from '@netbox-pbs/app-shell'
import type { Command } from 'commander'
import { Effect } from 'effect'
import {
  addServer,
  listServers,
  pinServer,
  removeServer,
  type ServerChange,
  setServer,
  testServer,
} from '../commands/server.ts'
import type { Choose } from '../failures.ts'
import { type RemoteFlags, remoteFlags, withRemote } from '../remote/find-remote.ts'
import { readTokenSecret } from '../secret-input.ts'

type AddFlags = RemoteFlags & {
  host: string
  port: number
  tokenId: string
  tokenSecretFile?: string
  fingerprint?: string
  verifySsl: boolean
  timeout: number
  untested?: boolean
}
type SetFlags = RemoteFlags & Partial<Omit<AddFlags, keyof RemoteFlags>>
type YesFlags = RemoteFlags & { yes?: boolean }
type TestFlags = YesFlags & { pin?: boolean }

const port = wholeNumber(1, 65_535)
const timeout = wholeNumber(1, 600)

const named = (name: string, description: string) =>
  remoteFlags(newCommand(name, description)).argument('<name>', 'the name of the server', filled)

const withSecret = (command: Command) =>
  command.option('--token-secret-file <file>', 'the file that holds the secret; - is standard input')

/** `server add|set|pin|test|list|remove`. */
export function serverCommands(choose: Choose): Command {
  const server = newCommand('server', 'the Proxmox Backup Servers')
  const add = withSecret(
    named('add', 'test and connect a server; the secret of its token is asked for, or read from a file'),
  )
    .requiredOption('--host <host>', 'name or address', filled)
    .option('--port <port>', 'port', port, 8007)
    .requiredOption('--token-id <id>', 'user@realm!tokenname, in single quotes: bash reads ! in double ones', filled)
    .option('--fingerprint <sha256>', 'pin this certificate; without it a self-signed one is shown and asked about')
    .option('--no-verify-ssl', 'accept any certificate when none is pinned')
    .option('--timeout <seconds>', 'how long the server may be silent', timeout, 30)
    .option('--untested', 'store it without a test')
    .action((name: string, flags: AddFlags) => {
      const {
        host,
        port,
        tokenId: token_id,
        fingerprint = '',
        verifySsl: verify_ssl,
        timeout: timeout_seconds,
        untested = false,
      } = flags
      choose(
        withRemote(flags, (system) =>
          Effect.flatMap(readTokenSecret(flags.tokenSecretFile), (secret) =>
            addServer(
              system,
              { name, host, port, token_id, fingerprint, verify_ssl, timeout_seconds },
              { secret, untested },
            ),
          ),
        ),
      )
    })
  const set = withSecret(named('set', 'change the connection of a server, and show its state after that'))
    .option('--host <host>', 'name or address; needs the secret again', filled)
    .option('--port <port>', 'port; needs the secret again', port)
    .option('--token-id <id>', 'user@realm!tokenname; needs the secret again', filled)
    .option('--fingerprint <sha256>', 'pin this certificate')
    .option('--verify-ssl', 'verify the certificate when none is pinned')
    .option('--no-verify-ssl', 'accept any certificate when none is pinned; needs the secret again')
    .option('--timeout <seconds>', 'how long the server may be silent', timeout)
    .option('--untested', 'store it without a test')
    .action((name: string, flags: SetFlags) => {
      const change = changeOf(flags)
      const asks = needsSecret(flags)
      if (Object.keys(change).length === 0 && !asks)
        throw new WrongUsage({ message: 'nothing to change: "netbox-pbs server set --help" lists the flags' })
      choose(
        withRemote(flags, (system) =>
          Effect.flatMap(asks ? readTokenSecret(flags.tokenSecretFile) : Effect.succeed(null), (secret) =>
            setServer(system, name, { change, secret, untested: flags.untested ?? false }),
          ),
        ),
      )
    })
  const pin = named('pin', 'pin the certificate that a server presents now, after you have compared it')
    .option('--yes', 'do not ask')
    .action((name: string, flags: YesFlags) =>
      choose(withRemote(flags, (system) => pinServer(system, name, flags.yes ?? false))),
    )
  const test = named('test', 'try the connection')
    .option('--pin', 'show another certificate next to the pinned one, and pin it after a question')
    .option('--yes', 'do not ask')
    .action((name: string, { pin = false, yes = false, ...flags }: TestFlags) => {
      if (yes && !pin) test.error("option '--yes' goes with --pin: add it, or leave --yes out")
      choose(withRemote(flags, (system) => testServer(system, name, { pin, yes })))
    })
  const list = remoteFlags(newCommand('list', 'list the servers and their last contact')).action((flags: RemoteFlags) =>
    choose(withRemote(flags, listServers)),
  )
  const remove = named('remove', 'remove a server and all that is below it')
    .option('--yes', 'do not ask')
    .action((name: string, flags: YesFlags) =>
      choose(withRemote(flags, (system) => removeServer(system, name, flags.yes ?? false))),
    )
  for (const command of [add, set, pin, test, list, remove]) server.addCommand(command)
  return server
}

const changeOf = ({ host, port, tokenId, fingerprint, verifySsl, timeout }: SetFlags): ServerChange => ({
  ...(host === undefined ? {} : { host }),
  ...(port === undefined ? {} : { port }),
  ...(tokenId === undefined ? {} : { token_id: tokenId }),
  ...(fingerprint === undefined ? {} : { fingerprint }),
  ...(verifySsl === undefined ? {} : { verify_ssl: verifySsl }),
  ...(timeout === undefined ? {} : { timeout_seconds: timeout }),
})

/** A stored secret is kept to the server it was given for. */
const needsSecret = ({ host, port, tokenId, fingerprint, verifySsl, tokenSecretFile }: SetFlags): boolean =>
  [host, port, tokenId, tokenSecretFile].some((flag) => flag !== undefined) || fingerprint === '' || verifySsl === false
