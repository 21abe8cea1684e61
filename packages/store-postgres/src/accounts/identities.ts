import { type IdentifiedUser, Identities, LastAdmin, UserNotActive, UsernameTaken } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { type Kysely, sql } from 'kysely'
import { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { hasAdmin, insert, isTaken, lockUsers, select, type UserRow, update, userOf } from './users.ts'

/** The identities of users at providers of OpenID Connect. */
export const identitiesLayer: Layer.Layer<Identities, never, Database> = Layer.effect(
  Identities,
  Effect.map(Database, (database) =>
    Identities.of({
      signIn: Effect.fn('Identities.signIn')((person) =>
        database.transaction('signing in a user of a provider', async (trx) => {
          await lockUsers(trx)
          const known = await userOfIdentity(trx, person)
          if (known === undefined && (await isTaken(trx, person.username, null)))
            return new UsernameTaken({ username: person.username, at: 0 })
          if (known?.is_active === false) return new UserNotActive({ username: known.username })
          const user = known === undefined ? await create(trx, person) : await follow(trx, known, person)
          if (!(await hasAdmin(trx))) return new LastAdmin()
          await sql`update users set last_login = now() where id = ${user.id}::bigint`.execute(trx)
          return userOf(user)
        }),
      ),
    }),
  ),
)

async function userOfIdentity(
  trx: Kysely<Tables>,
  { identity: { issuer, subject } }: IdentifiedUser,
): Promise<UserRow | undefined> {
  const [row] = await select(
    trx,
    sql`u.id = (select i.user_id from user_identities i where i.issuer = ${issuer} and i.subject = ${subject})`,
  )
  return row
}

async function create(trx: Kysely<Tables>, { identity, requestId, ...person }: IdentifiedUser): Promise<UserRow> {
  const actor = { user: person.username, requestId }
  const user = await insert(trx, { ...person, is_active: true, servers: null, passwordHash: null }, actor)
  const { issuer, subject } = identity
  await sql`insert into user_identities (issuer, subject, user_id) values (${issuer}, ${subject}, ${user.id}::bigint)`.execute(
    trx,
  )
  return user
}

/** The user after names, address and role were taken from the provider. */
function follow(trx: Kysely<Tables>, known: UserRow, person: IdentifiedUser): Promise<UserRow> {
  const { first_name, last_name, email, requestId } = person
  // An admin sees all servers: to become one would lift the limit.
  const role = known.servers !== null && person.role === 'admin' ? 'operator' : person.role
  return update(trx, known, { first_name, last_name, email, role }, { user: known.username, requestId })
}
