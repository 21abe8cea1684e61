import { type ApiToken, ApiTokens } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'

interface Row extends Omit<ApiToken, 'user'> {
  readonly secret_hash: string
  readonly user_id: number
  readonly username: string
}

const columns = sql`
  t.id, t.key, t.secret_hash, t.user_id, u.username, t.description, t.write_enabled, t.enabled, t.expires, t.created, t.last_used`

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

    return ApiTokens.of({
      create: Effect.fn('ApiTokens.create')(function* ({ actor, ...token }) {
        const made = yield* database.transaction('making an API token', async (trx) => {
          // The no-op update makes the statement return the id of an existing user.
          const { rows } = await sql<Row>`
            with u as (
              insert into users (username) values (${token.username})
              on conflict (username) do update set username = excluded.username
              returning id, username
            ), t as (
              insert into api_tokens (key, secret_hash, user_id, description, write_enabled, expires)
              select ${token.key}, ${token.secretHash}, id, ${token.description}, ${token.write_enabled}::boolean, ${token.expires}::timestamptz
              from u
              returning *
            )
            select ${columns} from t, u`.execute(trx)
          const [row] = rows
          if (row === undefined) throw new Error('an inserted token was not returned')
          await logOther(trx, { ...logged(row), action: 'create', before: null, by: actor })
          return row
        })
        return tokenOf(made)
      }),
      find: Effect.fn('ApiTokens.find')(function* ({ key }) {
        const [row] = yield* database.query('reading an API token', (db) => select(db, sql`t.key = ${key}`))
        return row === undefined ? Option.none() : Option.some({ ...tokenOf(row), secretHash: row.secret_hash })
      }),
      get: Effect.fn('ApiTokens.get')(function* ({ id }) {
        const [row] = yield* database.query('reading an API token', (db) => select(db, sql`t.id = ${id}::bigint`))
        return Option.map(Option.fromNullable(row), tokenOf)
      }),
      list: Effect.fn('ApiTokens.list')(({ limit, offset, key }) =>
        database.query('reading the API tokens', async (db) => {
          const where = key === undefined ? sql`true` : sql`t.key = ${key}`
          const { rows } = await sql<{ count: number }>`
            select count(*) as count from api_tokens t where ${where}`.execute(db)
          const page = sql`${where} order by t.id limit ${limit}::bigint offset ${offset}::bigint`
          return { count: rows[0]?.count ?? 0, rows: (await select(db, page)).map(tokenOf) }
        }),
      ),
      remove: Effect.fn('ApiTokens.remove')(function* ({ id, actor }) {
        return yield* database.transaction('removing an API token', async (trx) => {
          const { rows } = await sql<Row>`
            with t as (delete from api_tokens where id = ${id}::bigint returning *)
            select ${columns} from t join users u on u.id = t.user_id`.execute(trx)
          const [row] = rows
          if (row === undefined) return false
          const { after: before, ...about } = logged(row)
          await logOther(trx, { ...about, action: 'delete', before, after: null, by: actor })
          return true
        })
      }),
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
            select count(distinct user_id) as count from api_tokens
            where write_enabled and enabled and (expires is null or expires > ${now}::timestamptz)`.execute(db),
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

function tokenOf({ secret_hash, user_id, username, ...token }: Row): ApiToken {
  return { ...token, user: { id: user_id, username } }
}

/** A token as the change log records it: its public part, its user and its purpose. */
function logged({ id, key, username: user, description, write_enabled, expires }: Row) {
  return {
    model: 'token' as const,
    id,
    title: `${key} (${user})`,
    after: { key, user, description, write_enabled, expires },
  }
}
