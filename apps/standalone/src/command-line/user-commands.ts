import { filled, newCommand, WrongUsage } from '@netbox-pbs/app-shell'
import { roles } from '@netbox-pbs/core'
import { type Command, Option } from 'commander'
import { Effect } from 'effect'
import { addUser, listUsers, removeUser, setUser, type UserFlags } from '../commands/user.ts'
import type { Choose } from '../failures.ts'
import { type RemoteFlags, remoteFlags, withRemote } from '../remote/find-remote.ts'
import { readPassword } from '../secret-input.ts'

type Flags = RemoteFlags &
  Pick<UserFlags, 'role' | 'email'> & {
    server?: ReadonlyArray<string>
    allServers?: boolean
    active?: boolean
    password?: boolean
    passwordFile?: string
  }

const named = (name: string, description: string) =>
  remoteFlags(newCommand(name, description)).argument('<name>', 'the name of the user', filled)

const withRights = (command: Command) =>
  command
    .addOption(new Option('--role <role>', 'what the user may do').choices(roles))
    .option('--server <name...>', 'the servers that the user sees, instead of all')
    .option('--email <address>', 'address')
    .option('--password-file <file>', 'the file that holds the password; - is standard input')

/** `user add|set|list|remove`. */
export function userCommands(choose: Choose): Command {
  const user = newCommand('user', 'the users of the running system')
  const add = withRights(named('add', 'add a user; the password is asked for, or read from a file')).action(
    (name: string, flags: Flags) =>
      choose(
        withRemote(flags, (system) =>
          Effect.flatMap(readPassword(flags.passwordFile), (password) =>
            addUser(system, name, password, changeOf(flags)),
          ),
        ),
      ),
  )
  const set = withRights(named('set', 'change a user'))
    .option('--all-servers', 'the user sees every server')
    .option('--active', 'the user may sign in again')
    .option('--no-active', 'the user can neither sign in nor use a token')
    .option('--password', 'ask for a new password; it ends the sessions of the user')
    .action((name: string, flags: Flags) => {
      const change = changeOf(flags)
      const asks = flags.password === true || flags.passwordFile !== undefined
      if (Object.keys(change).length === 0 && !asks)
        throw new WrongUsage({ message: 'nothing to change: "netbox-pbs user set --help" lists the flags' })
      if (flags.server !== undefined && flags.allServers === true)
        throw new WrongUsage({ message: '--server and --all-servers exclude each other: give one of them' })
      choose(
        withRemote(flags, (system) =>
          Effect.flatMap(asks ? readPassword(flags.passwordFile) : Effect.succeed(null), (password) =>
            setUser(system, name, { ...change, password }),
          ),
        ),
      )
    })
  const list = remoteFlags(newCommand('list', 'list the users and what they may do')).action((flags: RemoteFlags) =>
    choose(withRemote(flags, listUsers)),
  )
  const remove = named('remove', 'remove a user, and the tokens and sessions of the user')
    .option('--yes', 'do not ask')
    .action((name: string, flags: RemoteFlags & { yes?: boolean }) =>
      choose(withRemote(flags, (system) => removeUser(system, name, flags.yes ?? false))),
    )
  for (const command of [add, set, list, remove]) user.addCommand(command)
  return user
}

const changeOf = ({ role, email, server, allServers, active }: Flags): UserFlags => ({
  ...(role === undefined ? {} : { role }),
  ...(email === undefined ? {} : { email }),
  ...(server === undefined ? {} : { servers: server }),
  ...(allServers === true ? { servers: null } : {}),
  ...(active === undefined ? {} : { is_active: active }),
})
