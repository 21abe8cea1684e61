import { existsSync } from 'node:fs'
import { newTokenText, writeToken } from '@netbox-pbs/api'
import { ApiTokens } from '@netbox-pbs/core/ports'
import { accountsLayer, migrate } from '@netbox-pbs/store-postgres'
import { Effect, Layer, Option, Redacted } from 'effect'
import { finishRestore } from '../backup/finish-restore.ts'
import { databaseEnvironment } from '../config.ts'
import { databaseLayers } from '../databases.ts'
import { CannotRun } from '../failures.ts'
import type { TokenStore } from './token-store.ts'

/** The tokens of a system that does not run, in its database. */
export const storedTokens = Effect.fn('storedTokens')(function* (dataDir: string) {
  const env = yield* databaseEnvironment
  if (Option.isNone(env.databaseUrl) && !existsSync(dataDir))
    return yield* new CannotRun({
      message: `there is no data folder ${dataDir}: name it with --data-dir, set DATABASE_URL, or reach a system with --url`,
    })
  yield* finishRestore(dataDir)
  const databases = yield* Layer.build(databaseLayers({ ...env, dataDir }))
  yield* migrate.pipe(Effect.provide(databases))
  const accounts = yield* Layer.build(accountsLayer).pipe(Effect.provide(databases))
  const store: TokenStore = {
    create: ({ version, user, readOnly, expires, description }) =>
      Effect.gen(function* () {
        const username = user ?? 'admin'
        const tokens = yield* ApiTokens
        if (user !== null && Option.isNone(yield* tokens.user({ id: null, username })))
          yield* new CannotRun({ message: `there is no user ${username}` })
        const text = newTokenText(version)
        yield* writeToken(text, { username, description, write_enabled: !readOnly, expires })
        return Redacted.value(text)
      }).pipe(Effect.provide(accounts), asCannotRun),
    list: () =>
      Effect.gen(function* () {
        const tokens = yield* ApiTokens
        const { rows } = yield* tokens.list({ limit: 1000, offset: 0 })
        return rows.map(({ version, key, user, write_enabled, last_used, ...token }) => ({
          ...token,
          key: version === 2 ? key : null,
          username: user.username,
          writes: write_enabled,
          lastUsed: last_used,
        }))
      }).pipe(Effect.provide(accounts), asCannotRun),
    revoke: (id) =>
      Effect.gen(function* () {
        const tokens = yield* ApiTokens
        if ((yield* tokens.remove({ ids: [id] })) === 0)
          yield* new CannotRun({ message: `there is no token ${id}: "netbox-pbs token list" shows them` })
      }).pipe(Effect.provide(accounts), asCannotRun),
  }
  return store
})

const asCannotRun = <A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, CannotRun, R> =>
  Effect.mapError(effect, (error) =>
    error instanceof CannotRun ? error : new CannotRun({ message: error.message, cause: error }),
  )
