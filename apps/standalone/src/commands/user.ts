import { User } from '@netbox-pbs/api/records'
import type { WrongUsage } from '@netbox-pbs/app-shell'
import type { Role } from '@netbox-pbs/core'
import { Effect, Redacted } from 'effect'
import { z } from 'zod'
import { needYes } from '../confirm.ts'
import { CannotRun } from '../failures.ts'
import { call, type Remote, readAll } from '../remote/remote-api.ts'
import { say, table } from '../terminal.ts'

const path = '/api/users/users/'

const Listed = User.pick({ id: true, username: true, role: true, servers: true, is_active: true, last_login: true })

/** What `user add` and `user set` say of a user; what is left out stays. */
export interface UserFlags {
  readonly role?: Role
  /** Names; null: all servers. */
  readonly servers?: ReadonlyArray<string> | null
  readonly email?: string
  readonly is_active?: boolean
}

const byName = (remote: Remote, name: string) =>
  // A filter by name would take the name "null" for none.
  readAll(remote)(`${path}?q=${encodeURIComponent(name)}`, Listed).pipe(
    Effect.flatMap((users) => {
      const user = users.find(({ username }) => username === name)
      return user === undefined
        ? Effect.fail(new CannotRun({ message: `no user is named ${name}: "netbox-pbs user list" shows them` }))
        : Effect.succeed(user)
    }),
  )

/** Adds a user with a password. */
export const addUser = (remote: Remote, username: string, password: Redacted.Redacted<string>, flags: UserFlags) =>
  Effect.map(
    call(remote)({
      method: 'POST',
      path,
      body: { username, password: Redacted.value(password), ...flags },
      answer: Listed,
    }),
    ({ role }) => say(`user ${username} is added as ${role.value}`),
  )

/** Changes a user. */
export const setUser = (
  remote: Remote,
  username: string,
  { password, ...flags }: UserFlags & { readonly password: Redacted.Redacted<string> | null },
) =>
  Effect.gen(function* () {
    const { id } = yield* byName(remote, username)
    const body = { ...flags, ...(password === null ? {} : { password: Redacted.value(password) }) }
    yield* call(remote)({ method: 'PATCH', path: `${path}${id}/`, body, answer: Listed })
    say(`user ${username} is changed${password === null ? '' : '; sessions with the old password have ended'}`)
  })

/** The users, a line each. */
export const listUsers = (remote: Remote) =>
  Effect.gen(function* () {
    const users = yield* readAll(remote)(path, Listed)
    const servers = yield* readAll(remote)(
      '/api/plugins/pbs/servers/?fields=id,name',
      z.object({ id: z.int(), name: z.string() }),
    )
    const names = new Map(servers.map(({ id, name }) => [id, name]))
    say(
      table([
        ['NAME', 'ROLE', 'SERVERS', 'ACTIVE', 'LAST LOGIN'],
        ...users.map((user) => [
          user.username,
          user.role.value,
          user.servers === null ? 'all' : user.servers.map((id) => names.get(id) ?? `${id}`).join(', ') || 'none',
          user.is_active ? 'yes' : 'no',
          user.last_login ?? 'never',
        ]),
      ]),
    )
  })

/** Removes a user, once a person has seen what goes with it. */
export const removeUser = (
  remote: Remote,
  username: string,
  yes: boolean,
): Effect.Effect<void, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    const { id } = yield* byName(remote, username)
    yield* needYes(yes, `Remove user ${username}? The user's tokens and sessions go too.`)
    yield* call(remote)({ method: 'DELETE', path: `${path}${id}/`, answer: z.unknown() })
    say(`user ${username} is removed`)
  })
