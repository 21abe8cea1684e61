import { Effect } from 'effect'
import { addServer, listServers, removeServer, testServer } from '../commands/server.ts'
import type { RemoteFlags } from '../remote/find-remote.ts'
import { readTokenSecret } from '../secret-input.ts'
import { type AddCommand, filled, newCommand, wholeNumber } from './command.ts'
import { remoteFlags, withRemote } from './remote-flags.ts'

type AddFlags = RemoteFlags & {
  host: string
  port: number
  tokenId: string
  tokenSecretFile?: string
  fingerprint?: string
  verifySsl: boolean
}

const named = (name: string, description: string) =>
  remoteFlags(newCommand(name, description)).argument('<name>', 'the name of the server', filled)

/** `server add|test|list|remove`. */
export const serverCommands: AddCommand = (parent, choose) => {
  const server = newCommand('server', 'the Proxmox Backup Servers')
  const add = named('add', 'connect a server; the secret of its token is asked for, or read from a file')
    .requiredOption('--host <host>', 'name or address', filled)
    .option('--port <port>', 'port', wholeNumber(1, 65_535), 8007)
    .requiredOption('--token-id <id>', 'user@realm!tokenname', filled)
    .option('--token-secret-file <file>', 'the file that holds the secret; - is standard input')
    .option('--fingerprint <sha256>', 'pin this certificate')
    .option('--no-verify-ssl', 'accept any certificate when none is pinned')
    .action((name: string, flags: AddFlags) => {
      const { host, port, tokenId: token_id, fingerprint = '', verifySsl: verify_ssl } = flags
      choose(
        withRemote(flags, (system) =>
          Effect.flatMap(readTokenSecret(flags.tokenSecretFile), (secret) =>
            addServer(system, { name, host, port, token_id, fingerprint, verify_ssl }, secret),
          ),
        ),
      )
    })
  const test = named('test', 'try the connection').action((name: string, flags: RemoteFlags) =>
    choose(withRemote(flags, (system) => testServer(system, name))),
  )
  const list = remoteFlags(newCommand('list', 'the servers and how they were last seen')).action((flags: RemoteFlags) =>
    choose(withRemote(flags, listServers)),
  )
  const remove = named('remove', 'remove a server and all that is below it').action(
    (name: string, flags: RemoteFlags) => choose(withRemote(flags, (system) => removeServer(system, name))),
  )
  for (const command of [add, test, list, remove]) server.addCommand(command)
  parent.addCommand(server)
}
