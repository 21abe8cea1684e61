import type { FieldErrors } from '@netbox-pbs/core'
import {
  type InventoryLists,
  type NewUser,
  type StoreFailed,
  type User,
  type UsernameTaken,
  type UserRights,
  Users,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { Passwords } from '../accounts/passwords.ts'
import { adminSeesAll, areRights, readUserInput, type UserInput } from '../accounts/user-input.ts'
import { knownServers } from '../inventory/find-row.ts'
import { servedUser, userFilter } from '../records/user.ts'
import { type ApiContext, actorOf, isAdmin } from '../rest/caller.ts'
import { badRequest } from '../rest/http-error.ts'
import { baseUrl, usersPath } from '../rest/links.ts'
import type { Path } from '../rest/route.ts'
import { recordList } from './record-list.ts'
import { type RecordTarget, recordPaths, type Written } from './record-writes.ts'

const tags = ['users']

/** Of these ids those that a caller may see: everyone sees their own user, an admin all. */
const visible = (c: ApiContext, ids: ReadonlyArray<number>): ReadonlyArray<number> => {
  const caller = c.get('caller')
  return isAdmin(caller) ? ids : ids.filter((id) => id === caller.id)
}

const listRoute = recordList({
  path: usersPath,
  operationId: 'users_users_list',
  tags,
  description: 'The users, by name; all of them for an admin, and for others their own',
  schema: 'UserList',
  filter: userFilter,
  brief: ['username'],
  read: (query, c) =>
    Effect.flatMap(Users, (users) =>
      users.list(isAdmin(c.get('caller')) ? query : { ...query, ids: [c.get('caller').id] }),
    ),
  cursor: { idOf: ({ id }) => id, ordered: false },
  serve: (user, base) => servedUser(base, user),
})

/** The users. Only admins write them. */
export const userPaths: ReadonlyArray<Path> = recordPaths(listRoute, {
  path: usersPath,
  tags,
  operations: 'users_users',
  label: 'User',
  labelPlural: 'users',
  most: 50,
  schemas: {
    record: 'User',
    created: 'User',
    request: 'UserRequest',
    change: 'UserChange',
    changeOfMany: 'UserChangeOfMany',
  },
  find: (c, ids) => Effect.map(usersOf(c, ids), (users) => users.map((user) => servedUser(baseUrl(c), user))),
  create: (c, bodies) => createUsers(c, bodies),
  change: (c, targets) => changeUsers(c, targets),
  remove: (c, ids) =>
    Effect.flatMap(Users, (users) => users.remove({ ids, actor: actorOf(c) })).pipe(
      Effect.catchTag('LastAdmin', ({ message }) => badRequest(`This is not possible: ${message}.`)),
    ),
})

const usersOf = (c: ApiContext, ids: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const users = yield* Users
    return (yield* users.list({ ids: visible(c, ids), limit: ids.length, offset: 0 })).rows
  })

const fresh = {
  first_name: '',
  last_name: '',
  email: '',
  is_active: true,
  role: 'viewer',
  servers: null,
} as const satisfies Partial<NewUser>

const createUsers = (c: ApiContext, bodies: ReadonlyArray<unknown>) =>
  Effect.gen(function* () {
    const read = yield* Effect.forEach(bodies, (body) => prepare(readUserInput(body, 'create'), fresh))
    const errors = errorsOf(read)
    if (errors.length > 0) return rejected(errors)
    const made = yield* Effect.forEach(read, (item) => ('input' in item ? hashed(item.input) : Effect.succeed({})))
    const users = made.map((change): NewUser => ({ ...fresh, username: '', passwordHash: null, ...change }))
    return yield* Effect.flatMap(Users, (store) => store.create({ users, actor: actorOf(c) })).pipe(
      Effect.map((created) => written(c, created)),
      Effect.catchTag('UsernameTaken', (error) => Effect.succeed(rejected([taken(error)]))),
    )
  })

const changeUsers = (c: ApiContext, targets: ReadonlyArray<RecordTarget>) =>
  Effect.gen(function* () {
    const present = yield* usersOf(
      c,
      targets.map(({ id }) => id),
    )
    const read = yield* Effect.forEach(targets, ({ id, input }) =>
      prepare(readUserInput(input, 'change'), present.find((user) => user.id === id) ?? fresh),
    )
    const errors = errorsOf(read)
    if (errors.length > 0) return rejected(errors)
    const changes = yield* Effect.forEach(targets, ({ id }, at) => {
      const item = read[at]
      const change = item !== undefined && 'input' in item ? hashed(item.input) : Effect.succeed({})
      return Effect.map(change, (values) => ({ id, change: values }))
    })
    return yield* Effect.flatMap(Users, (store) => store.update({ changes, actor: actorOf(c) })).pipe(
      Effect.map((changed) => written(c, changed)),
      Effect.catchTags({
        UsernameTaken: (error) => Effect.succeed(rejected([taken(error)])),
        LastAdmin: ({ message }) => Effect.succeed(rejected([{ at: 0, errors: { role: [`${upper(message)}.`] } }])),
      }),
    )
  })

/** A change whose servers were looked up. */
type Resolved = Omit<UserInput, 'servers'> & Partial<Pick<User, 'servers'>>

type Prepared = { readonly input: Resolved } | { readonly errors: FieldErrors }

/** Looks the servers of a body up, and checks the rights that the user would have. */
const prepare = (
  read: ReturnType<typeof readUserInput>,
  before: UserRights,
): Effect.Effect<Prepared, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    if ('errors' in read) return read
    const { servers: named, ...input } = read.input
    const servers = named === undefined || named === null ? named : yield* serverIds(named, before.servers ?? [])
    if (typeof servers === 'string') return { errors: { servers: [servers] } }
    const rights = { role: input.role ?? before.role, servers: servers === undefined ? before.servers : servers }
    return areRights(rights)
      ? { input: { ...input, ...(servers === undefined ? {} : { servers }) } }
      : { errors: { servers: [adminSeesAll] } }
  })

/** The ids of servers; the sentence about one that is not there. One that the user has already may be gone. */
const serverIds = (named: ReadonlyArray<number | string>, before: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const names = named.filter((one) => typeof one === 'string')
    const known = yield* knownServers({ names, ids: named.filter((one) => typeof one === 'number') })
    const found = new Set<number>()
    for (const one of named) {
      const id = typeof one === 'string' ? known.idsByName.get(one) : one
      if (id === undefined || !(known.ids.has(id) || typeof one === 'string' || before.includes(id)))
        return typeof one === 'string'
          ? `There is no server with the name ${one}.`
          : `There is no server with the id ${one}.`
      found.add(id)
    }
    return [...found].sort((a, b) => a - b)
  })

const hashed = ({ password, ...change }: Resolved): Effect.Effect<Partial<NewUser>, never, Passwords> =>
  password === undefined
    ? Effect.succeed(change)
    : Effect.flatMap(Passwords, (passwords) =>
        Effect.map(passwords.hash(password), (passwordHash) => ({ ...change, passwordHash })),
      )

const errorsOf = (read: ReadonlyArray<Prepared>) =>
  read.flatMap((item, at) => ('errors' in item ? [{ at, errors: item.errors }] : []))

const rejected = (errors: Extract<Written, { _tag: 'rejected' }>['errors']): Written => ({ _tag: 'rejected', errors })

const written = (c: ApiContext, users: ReadonlyArray<User>): Written => ({
  _tag: 'written',
  records: users.map((user) => servedUser(baseUrl(c), user)),
})

const taken = ({ at }: UsernameTaken) => ({ at, errors: { username: ['A user with this username already exists.'] } })

const upper = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1)
