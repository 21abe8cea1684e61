import { homedir } from 'node:os'
import { join } from 'node:path'
import { checkDatabaseUrl, readSecret, WrongUsage } from '@netbox-pbs/app-shell'
import { Effect, Option, Redacted } from 'effect'

type Given = Option.Option<Redacted.Redacted<string>>

/** The environment of the command. Each secret is also read from the file that `<NAME>_FILE` names. */
export interface Environment {
  /** PostgreSQL instead of the embedded database. */
  readonly databaseUrl: Given
  /** A database of its own for the gateway. */
  readonly gatewayDatabaseUrl: Given
  /** 32 bytes in base64: encrypts secrets that api and worker must read back. */
  readonly secretKey: Given
  /** 32 bytes in base64: encrypts the PBS token secrets. */
  readonly gatewaySecretKey: Given
  /** The gateway's first API key, at least 32 characters. */
  readonly gatewayKey: Given
  /** The first admin token. */
  readonly bootstrapToken: Given
}

/** The variables of the keys, as errors name them. */
export const keyNames = {
  secretKey: 'NETBOX_PBS_SECRET_KEY',
  gatewaySecretKey: 'NETBOX_PBS_GATEWAY_SECRET_KEY',
  gatewayKey: 'NETBOX_PBS_GATEWAY_KEY',
} as const

/** The variable of the first token. */
export const bootstrapTokenName = 'NETBOX_PBS_BOOTSTRAP_TOKEN'

/** Shorter keys could be guessed. */
export const minGatewayKeyLength = 32

const databaseUrl = (name: string): Effect.Effect<Given, WrongUsage> =>
  Effect.tap(readSecret(name), (given) => (Option.isSome(given) ? checkDatabaseUrl(name, given.value) : Effect.void))

const gatewayKey = Effect.tap(readSecret(keyNames.gatewayKey), (given) =>
  Option.isSome(given) && Redacted.value(given.value).length < minGatewayKeyLength
    ? new WrongUsage({
        message: `${keyNames.gatewayKey} must have at least ${minGatewayKeyLength} characters; "openssl rand -base64 32" makes one`,
      })
    : Effect.void,
)

/** Which databases the environment names. */
export const databaseEnvironment = Effect.all({
  databaseUrl: databaseUrl('DATABASE_URL'),
  gatewayDatabaseUrl: databaseUrl('NETBOX_PBS_GATEWAY_DATABASE_URL'),
})

/** Reads the environment. The shapes of the secret keys and the token are checked by the packages that use them. */
export const environment: Effect.Effect<Environment, WrongUsage> = Effect.all({
  databaseUrl: databaseUrl('DATABASE_URL'),
  gatewayDatabaseUrl: databaseUrl('NETBOX_PBS_GATEWAY_DATABASE_URL'),
  secretKey: readSecret(keyNames.secretKey),
  gatewaySecretKey: readSecret(keyNames.gatewaySecretKey),
  gatewayKey,
  bootstrapToken: readSecret(bootstrapTokenName),
})

/**
 * The data folder unless `--data-dir` names another: `$XDG_STATE_HOME/netbox-pbs`, which is
 * `~/.local/state/netbox-pbs` where the variable is not set. It lies outside any checkout, so that
 * cleaning one cannot take database and keys along.
 */
export const defaultDataDir: string = join(
  process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'),
  'netbox-pbs',
)
