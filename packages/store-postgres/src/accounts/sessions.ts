import { Sessions, type UserRights } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'

/** Sessions and one-time links, by the hashes of their ids. */
export const sessionsLayer: Layer.Layer<Sessions, never, Database> = Layer.effect(
  Sessions,
  Effect.gen(function* () {
    const database = yield* Database

    return Sessions.of({
      create: Effect.fn('Sessions.create')(function* ({ idHash, userId, write_enabled, expires, tokenId }) {
        yield* database.query('making a session', (db) =>
          // Clears sessions that were never ended explicitly, long after they expired.
          sql`
            with cleared as (delete from sessions where expires < ${expires}::timestamptz - interval '30 days')
            insert into sessions (id_hash, user_id, write_enabled, expires, token_id)
            values (${idHash}, ${userId}::bigint, ${write_enabled}::boolean, ${expires}::timestamptz, ${tokenId}::bigint)`.execute(
            db,
          ),
        )
      }),
      find: Effect.fn('Sessions.find')(function* ({ idHash, now }) {
        const { rows } = yield* database.query('reading a session', (db) =>
          sql<UserRights & { user_id: number; username: string; write_enabled: boolean; expires: string }>`
            select s.user_id, u.username, u.role, u.servers, s.write_enabled and coalesce(t.write_enabled, true) as write_enabled, s.expires
            from sessions s join users u on u.id = s.user_id left join api_tokens t on t.id = s.token_id
            where s.id_hash = ${idHash} and s.expires > ${now}::timestamptz and u.is_active
              and coalesce(t.enabled, true) and coalesce(t.expires, 'infinity') > ${now}::timestamptz`.execute(db),
        )
        return Option.map(
          Option.fromNullable(rows[0]),
          ({ user_id, username, role, servers, write_enabled, expires }) => ({
            user: { id: user_id, username, role, servers },
            write_enabled,
            expires,
          }),
        )
      }),
      remove: Effect.fn('Sessions.remove')(function* ({ idHash }) {
        yield* database.query('ending a session', (db) =>
          sql`delete from sessions where id_hash = ${idHash}`.execute(db),
        )
      }),
      createLink: Effect.fn('Sessions.createLink')(function* ({ idHash, username, expires }) {
        yield* database.query('making a sign-in link', (db) =>
          sql`
            with cleared as (delete from sign_in_links where expires < ${expires}::timestamptz - interval '1 day')
            insert into sign_in_links (id_hash, username, expires)
            values (${idHash}, ${username}, ${expires}::timestamptz)`.execute(db),
        )
      }),
      redeemLink: Effect.fn('Sessions.redeemLink')(function* ({ idHash, now }) {
        const { rows } = yield* database.query('using a sign-in link', (db) =>
          // If two callers delete the row at once, the second waits for the first and then finds
          // nothing.
          sql<{ id: number; username: string }>`
            with link as (delete from sign_in_links where id_hash = ${idHash} returning username, expires)
            insert into users (username, role)
            select username, 'admin' from link where expires > ${now}::timestamptz
            on conflict (username) do update set username = excluded.username
            returning id, username`.execute(db),
        )
        return Option.fromNullable(rows[0])
      }),
    })
  }),
)
