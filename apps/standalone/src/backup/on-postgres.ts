import { Effect, Option } from 'effect'
import type { Environment } from '../config.ts'
import { CannotRun } from '../failures.ts'

/** Why a system on PostgreSQL is not saved by the command, and what to save; null: its database is embedded. */
export function whyOnPostgres(
  { databaseUrl, gatewayDatabaseUrl }: Pick<Environment, 'databaseUrl' | 'gatewayDatabaseUrl'>,
  dataDir: string | null,
): string | null {
  const variables = [
    ...(Option.isSome(databaseUrl) ? ['DATABASE_URL'] : []),
    ...(Option.isSome(gatewayDatabaseUrl) ? ['NETBOX_PBS_GATEWAY_DATABASE_URL'] : []),
  ]
  if (variables.length === 0) return null
  const dumps = variables.map((name) => `pg_dump --format=custom --file=FILE "$${name}"`).join(' and ')
  const folder = dataDir === null ? 'the data folder' : dataDir
  return `the database is on PostgreSQL, which this command neither saves nor restores: save it with ${dumps}, restore it with pg_restore, and save secret.key and gateway-secret.key of ${folder} as well, or what NETBOX_PBS_SECRET_KEY and NETBOX_PBS_GATEWAY_SECRET_KEY are set to: without them, stored secrets are lost`
}

/** Fails when the environment names a PostgreSQL. */
export const onPostgres = (
  env: Pick<Environment, 'databaseUrl' | 'gatewayDatabaseUrl'>,
  dataDir: string,
): Effect.Effect<void, CannotRun> => {
  const message = whyOnPostgres(env, dataDir)
  return message === null ? Effect.void : new CannotRun({ message })
}
