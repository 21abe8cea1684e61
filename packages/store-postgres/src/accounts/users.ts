import { type Actor, type LoggedValues, userFields } from '@netbox-pbs/core'
import { LastAdmin, type NewUser, type User, type UserFilter, UsernameTaken, Users } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { differing, logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import {
  anyContains,
  recordCondition,
  recordCount,
  recordListOf,
  recordOrder,
  recordSlice,
} from '../tables/record-list.ts'

/** A user as it is stored. */
export interface UserRow extends Omit<User, 'has_password'> {
  readonly password_hash: string | null
}

/** The users of a condition on `u`. */
export async function select(db: Kysely<Tables>, where: RawBuilder<unknown>): Promise<ReadonlyArray<UserRow>> {
  const { rows } = await sql<UserRow>`
    select u.id, u.username, u.first_name, u.last_name, u.email, u.is_active, u.role, u.servers, u.created, u.last_login, u.password_hash
    from users u where ${where}`.execute(db)
  return rows
}

/** The users, their rights and the hashes of their passwords. */
export const usersLayer: Layer.Layer<Users, never, Database> = Layer.effect(
  Users,
  Effect.map(Database, (database) =>
    Users.of({
      list: Effect.fn('Users.list')((request) =>
        database.query('reading the users', async (db) => {
          const which = await condition(db, request)
          const own = { id: userList.id, order: recordOrder(userList, request.order) }
          const { begin, order, limit, ...slice } = recordSlice(request, own)
          const count = await recordCount(db, slice, sql`from users u where ${which}`)
          const rows = await select(db, sql`${which} and ${begin} order by ${order} ${limit}`)
          return { count, rows: rows.map(userOf) }
        }),
      ),
      byName: Effect.fn('Users.byName')(function* ({ username }) {
        const [row] = yield* database.query('reading a user', (db) => select(db, sql`u.username = ${username}`))
        return Option.map(Option.fromNullable(row), (found) => ({
          ...userOf(found),
          passwordHash: found.password_hash,
        }))
      }),
      create: Effect.fn('Users.create')(({ users, actor }) =>
        database.transaction('making users', async (trx) => {
          await lockUsers(trx)
          const made: Array<User> = []
          for (const [at, user] of users.entries()) {
            if (await isTaken(trx, user.username, null)) return new UsernameTaken({ username: user.username, at })
            made.push(userOf(await insert(trx, user, actor)))
          }
          return made
        }),
      ),
      update: Effect.fn('Users.update')(({ changes, actor }) =>
        database.transaction('changing users', async (trx) => {
          await lockUsers(trx)
          const changed: Array<User> = []
          for (const [at, { id, change }] of changes.entries()) {
            const [before] = await select(trx, sql`u.id = ${id}::bigint`)
            if (before === undefined) continue
            const { username } = change
            if (username !== undefined && (await isTaken(trx, username, id))) return new UsernameTaken({ username, at })
            changed.push(userOf(await update(trx, before, change, actor)))
          }
          return (await hasAdmin(trx)) ? changed : new LastAdmin()
        }),
      ),
      remove: Effect.fn('Users.remove')(({ ids, actor }) =>
        database.transaction('removing users', async (trx) => {
          await lockUsers(trx)
          const rows = await select(trx, sql`u.id = any(${ids}::bigint[]) order by u.id`)
          await sql`delete from users where id = any(${ids}::bigint[])`.execute(trx)
          for (const row of rows) {
            const { after: before, ...about } = logged(row)
            await logOther(trx, { ...about, action: 'delete', before, after: null, by: actor })
          }
          return (await hasAdmin(trx)) ? rows.length : new LastAdmin()
        }),
      ),
      loggedIn: Effect.fn('Users.loggedIn')(function* ({ id }) {
        yield* database.query('noting a login', (db) =>
          sql`update users set last_login = now() where id = ${id}::bigint`.execute(db),
        )
      }),
    }),
  ),
)

/** One writer of users at a time: names are compared without their case, and one admin must stay. */
export const lockUsers = (trx: Kysely<Tables>) => sql`lock table users in share row exclusive mode`.execute(trx)

/** Whether a user but the one of this id has the name, in any case of its letters. */
export async function isTaken(trx: Kysely<Tables>, username: string, id: number | null): Promise<boolean> {
  const others = await select(trx, sql`lower(u.username) = lower(${username}) and u.id is distinct from ${id}::bigint`)
  return others.length > 0
}

/** Whether an admin can still sign in. */
export async function hasAdmin(trx: Kysely<Tables>): Promise<boolean> {
  const { rows } = await sql`select from users where role = 'admin' and is_active limit 1`.execute(trx)
  return rows.length > 0
}

/** Stores a user and logs it. */
export async function insert(trx: Kysely<Tables>, user: NewUser, actor: Actor | undefined): Promise<UserRow> {
  const { rows } = await sql<{ id: number }>`
    insert into users (username, first_name, last_name, email, is_active, role, servers, password_hash)
    values (${user.username}, ${user.first_name}, ${user.last_name}, ${user.email}, ${user.is_active}::boolean, ${user.role},
      ${serversOf(user)}, ${user.passwordHash}::text)
    returning id`.execute(trx)
  const row = await stored(trx, rows[0]?.id ?? 0)
  await logOther(trx, { ...logged(row), action: 'create', before: null, by: actor })
  return row
}

/** Changes a user and logs it; sessions end where the password changes. */
export async function update(
  trx: Kysely<Tables>,
  before: UserRow,
  change: Partial<NewUser>,
  actor: Actor | undefined,
): Promise<UserRow> {
  const { id, password_hash } = before
  const user = { ...before, passwordHash: password_hash, ...change }
  await sql`
    update users set username = ${user.username}, first_name = ${user.first_name}, last_name = ${user.last_name}, email = ${user.email},
      is_active = ${user.is_active}::boolean, role = ${user.role}, servers = ${serversOf(user)}, password_hash = ${user.passwordHash}::text
    where id = ${id}::bigint`.execute(trx)
  const newPassword = user.passwordHash !== password_hash
  if (newPassword || !user.is_active) await sql`delete from sessions where user_id = ${id}::bigint`.execute(trx)
  const after = await stored(trx, id)
  const entry = logged(after)
  // The log says that there is another password, and nothing of it.
  const password: LoggedValues = newPassword ? { password: 'changed' } : {}
  const values = differing(logged(before).after, { ...entry.after, ...password })
  if (values !== null) await logOther(trx, { ...entry, action: 'update', ...values, by: actor })
  return after
}

async function stored(trx: Kysely<Tables>, id: number): Promise<UserRow> {
  const [row] = await select(trx, sql`u.id = ${id}::bigint`)
  if (row === undefined) throw new Error('a written user is gone')
  return row
}

const serversOf = ({ servers }: Pick<NewUser, 'servers'>): RawBuilder<unknown> =>
  servers === null ? sql`null::jsonb` : jsonb(servers)

async function condition(db: Kysely<Tables>, { ids, search, where }: UserFilter): Promise<RawBuilder<unknown>> {
  const conditions = [
    await recordCondition(db, userList, where),
    ...(ids === undefined ? [] : [sql`u.id = any(${ids}::bigint[])`]),
    ...(search === undefined ? [] : [await anyContains(db, searched, search)]),
  ]
  return sql.join(conditions, sql` and `)
}

/** The list of users `u`. */
const userList = recordListOf(userFields, {
  columns: {
    id: sql`u.id`,
    username: sql`u.username`,
    first_name: sql`u.first_name`,
    last_name: sql`u.last_name`,
    email: sql`u.email`,
    is_active: sql`u.is_active`,
    role: sql`u.role`,
    date_joined: sql`u.created`,
    last_login: sql`u.last_login`,
    has_password: sql`(u.password_hash is not null)`,
  },
  order: sql`u.username, u.id`,
  id: sql`u.id`,
})

const searched = [sql`u.username`, sql`u.first_name`, sql`u.last_name`, sql`u.email`]

/** A stored user without the hash of the password. */
export const userOf = ({ password_hash, ...user }: UserRow): User => ({ ...user, has_password: password_hash !== null })

/** A user as the change log records it: without the password. */
function logged({ id, username, first_name, last_name, email, is_active, role, servers }: UserRow) {
  return {
    model: 'user' as const,
    id,
    title: username,
    after: { username, first_name, last_name, email, is_active, role, servers },
  }
}
