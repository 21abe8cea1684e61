import {
  type IdentifiedUser,
  Identities,
  LastAdmin,
  type User,
  UserNotActive,
  UsernameTaken,
} from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { type Kysely, sql } from 'kysely'
import { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { hasAdmin, insert, isTaken, lockUsers, select, type UserRow, update, userOf } from './users.ts'

/** The identities of users at providers of OpenID Connect, and in a NetBox. */
export const identitiesLayer: Layer.Layer<Identities, never, Database> = Layer.effect(
  Identities,
  Effect.map(Database, (database) =>
    Identities.of({
      signIn: Effect.fn('Identities.signIn')((person) =>
        database.transaction('signing in a user of a provider', async (trx) => {
          const user = await follow(trx, person)
          if ('id' in user) await sql`update users set last_login = now() where id = ${user.id}::bigint`.execute(trx)
          return user
        }),
      ),
      follow: Effect.fn('Identities.follow')(function* (person) {
        const known = yield* database.query('reading the user of a provider', (db) => userOfIdentity(db, person))
        return known?.is_active === true && isAsBefore(known, person)
          ? userOf(known)
          : yield* database.transaction('following a provider', (trx) => follow(trx, person))
      }),
    }),
  ),
)

/** The user of a person: made, or with what the provider says now; or why there is none. */
async function follow(
  trx: Kysely<Tables>,
  person: IdentifiedUser,
): Promise<User | UsernameTaken | UserNotActive | LastAdmin> {
  await lockUsers(trx)
  const known = await userOfIdentity(trx, person)
  if (known === undefined && (await isTaken(trx, person.username, null)))
    return new UsernameTaken({ username: person.username, at: 0 })
  if (known?.is_active === false) return new UserNotActive({ username: known.username })
  const user = known === undefined ? await create(trx, person) : await change(trx, known, person)
  return (await hasAdmin(trx)) ? userOf(user) : new LastAdmin()
}

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
function change(trx: Kysely<Tables>, known: UserRow, person: IdentifiedUser): Promise<UserRow> {
  return update(trx, known, described(known, person), { user: known.username, requestId: person.requestId })
}

/** What the provider says of a user. An admin sees all servers: to become one would lift a limit to some. */
const described = ({ servers }: UserRow, { first_name, last_name, email, role }: IdentifiedUser) => ({
  ...{ first_name, last_name, email },
  role: servers !== null && role === 'admin' ? ('operator' as const) : role,
})

function isAsBefore(known: UserRow, person: IdentifiedUser): boolean {
  const { first_name, last_name, email, role } = described(known, person)
  const same = known.first_name === first_name && known.last_name === last_name && known.email === email
  return same && known.role === role
}
