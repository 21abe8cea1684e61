import { type Actor, type Role, tokenFields } from '@netbox-pbs/core'
import {
  type ApiToken,
  type ApiTokenChange,
  type ApiTokenFilter,
  ApiTokens,
  type NewApiToken,
  TokenTaken,
} from '@netbox-pbs/core/ports'
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

interface Row extends Omit<ApiToken, 'user'> {
  readonly secret_hash: string
  readonly user_id: number
  readonly username: string
  readonly is_active: boolean
  readonly role: Role
  readonly servers: ReadonlyArray<number> | null
}

const columns = sql`
  t.id, t.version, t.key, t.secret_hash, t.user_id, u.username, t.description, t.write_enabled, t.enabled, t.allowed_ips,
  t.expires, t.created, t.last_used, u.is_active, u.role, u.servers`

async function select(db: Kysely<Tables>, where: RawBuilder<unknown>): Promise<ReadonlyArray<Row>> {
  const { rows } = await sql<Row>`
    select ${columns} from api_tokens t join users u on u.id = t.user_id where ${where}`.execute(db)
  return rows
}

/** Tokens and the users they belong to. */
export const apiTokensLayer: Layer.Layer<ApiTokens, never, Database> = Layer.effect(
  ApiTokens,
  Effect.gen(function* () {
    const database = yield* Database
    const createAll: ApiTokens['Type']['createAll'] = ({ tokens, actor }) =>
      database.transaction('making API tokens', async (trx) => {
        const made: Array<ApiToken> = []
        for (const [at, token] of tokens.entries()) {
          const row = await insert(trx, token, actor)
          if (row === null) return new TokenTaken({ at })
          made.push(tokenOf(row))
        }
        return made
      })

    return ApiTokens.of({
      create: Effect.fn('ApiTokens.create')(function* ({ actor, ...token }) {
        const [made] = yield* Effect.catchTag(
          createAll({ tokens: [token], ...(actor === undefined ? {} : { actor }) }),
          'TokenTaken',
          Effect.die,
        )
        return made ?? (yield* Effect.dieMessage('an inserted token was not returned'))
      }),
      createAll: Effect.fn('ApiTokens.createAll')(createAll),
      find: Effect.fn('ApiTokens.find')(function* ({ key }) {
        const [row] = yield* database.query('reading an API token', (db) => select(db, sql`t.key = ${key}`))
        if (row === undefined) return Option.none()
        const { secret_hash: secretHash, is_active, role, servers } = row
        return Option.some({ ...tokenOf(row), secretHash, rights: { is_active, role, servers } })
      }),
      get: Effect.fn('ApiTokens.get')(function* ({ id }) {
        const [row] = yield* database.query('reading an API token', (db) => select(db, sql`t.id = ${id}::bigint`))
        return Option.map(Option.fromNullable(row), tokenOf)
      }),
      list: Effect.fn('ApiTokens.list')((request) =>
        database.query('reading the API tokens', async (db) => {
          const which = await condition(db, request)
          const own = { id: tokenList.id, order: recordOrder(tokenList, request.order), newestFirst: true }
          const { begin, order, limit, ...slice } = recordSlice(request, own)
          const from = sql`from api_tokens t join users u on u.id = t.user_id where ${which}`
          const count = await recordCount(db, slice, from)
          const rows = await select(db, sql`${which} and ${begin} order by ${order} ${limit}`)
          return { count, rows: rows.map(tokenOf) }
        }),
      ),
      update: Effect.fn('ApiTokens.update')(({ changes, actor }) =>
        database.transaction('changing API tokens', async (trx) => {
          const changed: Array<ApiToken> = []
          for (const { id, change } of changes) {
            const row = await update(trx, id, change, actor)
            if (row !== null) changed.push(tokenOf(row))
          }
          return changed
        }),
      ),
      remove: Effect.fn('ApiTokens.remove')(({ ids, actor }) =>
        database.transaction('removing API tokens', async (trx) => {
          const { rows } = await sql<Row>`
            with t as (delete from api_tokens where id = any(${ids}::bigint[]) returning *)
            select ${columns} from t join users u on u.id = t.user_id order by t.id`.execute(trx)
          for (const row of rows) {
            const { after: before, ...about } = logged(row)
            await logOther(trx, { ...about, action: 'delete', before, after: null, by: actor })
          }
          return rows.length
        }),
      ),
      used: Effect.fn('ApiTokens.used')(function* ({ id }) {
        yield* database.query('noting the use of an API token', (db) =>
          // Without this condition a busy client would write a row with each request.
          sql`
            update api_tokens set last_used = now()
            where id = ${id}::bigint and (last_used is null or last_used <= now() - interval '1 minute' or last_used > now())`.execute(
            db,
          ),
        )
      }),
      writers: Effect.fn('ApiTokens.writers')(function* ({ now }) {
        const { rows } = yield* database.query('counting the users that may write', (db) =>
          sql<{ count: number }>`
            select count(*) as count from users u
            where u.is_active and u.role in ('operator', 'admin') and u.servers is null
              and (u.password_hash is not null or exists (
                select from api_tokens t where t.user_id = u.id and t.write_enabled and t.enabled
                  and (t.expires is null or t.expires > ${now}::timestamptz)))`.execute(db),
        )
        return rows[0]?.count ?? 0
      }),
      user: Effect.fn('ApiTokens.user')(function* ({ id, username = null }) {
        const { rows } = yield* database.query('reading a user', (db) =>
          sql<{ id: number; username: string }>`
            select id, username from users
            where (${id}::bigint is null or id = ${id}::bigint) and (${username}::text is null or username = ${username}::text)
            limit 1`.execute(db),
        )
        return Option.fromNullable(rows[0])
      }),
    })
  }),
)

/** Null: the key is taken. */
async function insert(trx: Kysely<Tables>, token: NewApiToken, actor: Actor | undefined): Promise<Row | null> {
  const { version = 2, enabled = true, allowed_ips = [] } = token
  // The no-op update makes the statement return the id of an existing user.
  const { rows } = await sql<Row>`
    with u as (
      insert into users (username, role) values (${token.username}, 'admin')
      on conflict (username) do update set username = excluded.username
      returning *
    ), t as (
      insert into api_tokens (version, key, secret_hash, user_id, description, enabled, write_enabled, expires, allowed_ips)
      select ${version}::smallint, ${token.key}, ${token.secretHash}, id, ${token.description}, ${enabled}::boolean,
        ${token.write_enabled}::boolean, ${token.expires}::timestamptz, ${jsonb(allowed_ips)}
      from u
      on conflict (key) do nothing
      returning *
    )
    select ${columns} from t, u`.execute(trx)
  const [row] = rows
  if (row === undefined) return null
  await logOther(trx, { ...logged(row), action: 'create', before: null, by: actor })
  return row
}

/** Null: there is no such token. A change to the present values is not logged. */
async function update(
  trx: Kysely<Tables>,
  id: number,
  change: ApiTokenChange,
  actor: Actor | undefined,
): Promise<Row | null> {
  const [before] = await select(trx, sql`t.id = ${id}::bigint for update of t`)
  if (before === undefined) return null
  const { description, enabled, write_enabled, expires, allowed_ips } = { ...before, ...change }
  await sql`
    update api_tokens set description = ${description}, enabled = ${enabled}::boolean, write_enabled = ${write_enabled}::boolean,
      expires = ${expires}::timestamptz, allowed_ips = ${jsonb(allowed_ips)} where id = ${id}::bigint`.execute(trx)
  const [after] = await select(trx, sql`t.id = ${id}::bigint`)
  if (after === undefined) throw new Error('a locked token is gone')
  const entry = logged(after)
  const values = differing(logged(before).after, entry.after)
  if (values !== null) await logOther(trx, { ...entry, action: 'update', ...values, by: actor })
  return after
}

async function condition(
  db: Kysely<Tables>,
  { ids, userIds, search, where }: ApiTokenFilter,
): Promise<RawBuilder<unknown>> {
  const conditions = [
    await recordCondition(db, tokenList, where),
    ...(ids === undefined ? [] : [sql`t.id = any(${ids}::bigint[])`]),
    ...(userIds === undefined ? [] : [sql`t.user_id = any(${userIds}::bigint[])`]),
    ...(search === undefined ? [] : [await anyContains(db, [sql`u.username`, sql`t.description`], search)]),
  ]
  return sql.join(conditions, sql` and `)
}

/** The list of tokens `t` of the users `u`. Only version 2 has a key that may be shown, and so be looked for. */
const tokenList = recordListOf(tokenFields, {
  columns: {
    id: sql`t.id`,
    version: sql`t.version::text`,
    key: sql`(case when t.version = 2 then t.key end)`,
    user: sql`t.user_id`,
    description: sql`t.description`,
    created: sql`t.created`,
    expires: sql`t.expires`,
    last_used: sql`t.last_used`,
    enabled: sql`t.enabled`,
    write_enabled: sql`t.write_enabled`,
  },
  sorted: { user: sql`u.username` },
  order: sql`t.id desc`,
  id: sql`t.id`,
})

function tokenOf({ secret_hash, user_id, username, is_active, role, servers, ...token }: Row): ApiToken {
  return { ...token, user: { id: user_id, username } }
}

/** A token as the change log records it: its public part, its user and its purpose. */
function logged(row: Row) {
  const { id, version, key, username: user, description, enabled, write_enabled, expires, allowed_ips } = row
  return {
    model: 'token' as const,
    id,
    title: version === 2 ? `${key} (${user})` : `version 1 (${user})`,
    after: {
      version,
      ...(version === 2 ? { key } : {}),
      user,
      description,
      enabled,
      write_enabled,
      expires,
      allowed_ips,
    },
  }
}
