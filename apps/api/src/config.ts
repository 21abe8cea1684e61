import {
  allowedHostFlag,
  basePathFlag,
  checkDatabaseUrl,
  databaseExample,
  filled,
  type LogFormat,
  logFormatFlag,
  needSecret,
  newCommand,
  port,
  readFlags,
  readGatewayAddress,
  readSecret,
  secretKeyHint,
  statementTimeoutFlag,
  trustedProxyFlag,
  type WrongUsage,
} from '@netbox-pbs/app-shell'
import type { GatewayAddress } from '@netbox-pbs/sync'
import { Effect, type Option, type Redacted } from 'effect'
import { type NetBoxConfig, readNetBox } from './netbox/netbox-config.ts'
import { type OpenIdConfig, readOpenId } from './openid/openid-config.ts'
import { version } from './version.ts'

type Secret = Redacted.Redacted<string>

/** The configuration of `start:api`, from flags and environment. */
export interface ApiConfig {
  readonly host: string
  readonly port: number
  readonly allowedHosts: ReadonlyArray<string>
  readonly trustedProxies: ReadonlyArray<string>
  readonly basePath: string
  /** Seconds that one statement of a request may take in the database. */
  readonly statementTimeoutSeconds: number
  readonly databaseUrl: Secret
  /** Opens the sealed settings; the box checks the form of the key. */
  readonly secretKey: Secret
  /** The gateway where the settings name none; null: the settings must. */
  readonly gateway: GatewayAddress | null
  /** An admin token that is made known at the start, so that there is a first one. */
  readonly bootstrapToken: Option.Option<Secret>
  /** The provider of OpenID Connect that users may sign in with; null: none. */
  readonly openId: OpenIdConfig | null
  /** The NetBox whose API tokens are accepted; null: none. */
  readonly netBox: NetBoxConfig | null
  readonly logFormat: LogFormat
}

/** The flags of `start:api`. */
export const apiCommand = () =>
  newCommand('start:api', 'serve REST and pages', version)
    .option('--host <address>', 'where to listen', filled, '127.0.0.1')
    .option('--port <port>', 'port of REST and pages; 0 takes a free one', port, 8000)
    .addOption(allowedHostFlag())
    .addOption(trustedProxyFlag())
    .addOption(basePathFlag())
    .addOption(statementTimeoutFlag())
    .addOption(logFormatFlag())

interface Flags {
  readonly host: string
  readonly port: number
  readonly allowedHost?: ReadonlyArray<string>
  readonly trustedProxy?: ReadonlyArray<string>
  readonly basePath: string
  readonly statementTimeout: number
  readonly logFormat: LogFormat
}

/** The variable that holds the key of the sealed settings. */
export const secretKeyName = 'NETBOX_PBS_SECRET_KEY'

/** The variable that holds the first token. */
export const bootstrapTokenName = 'NETBOX_PBS_BOOTSTRAP_TOKEN'

/** Reads flags and environment; the error of a mistake names the flag or variable and the next step. */
export const readConfig = (args: ReadonlyArray<string>): Effect.Effect<ApiConfig, WrongUsage> =>
  Effect.gen(function* () {
    const {
      host,
      port,
      allowedHost: allowedHosts = [],
      trustedProxy: trustedProxies = [],
      basePath,
      statementTimeout,
      logFormat,
    } = yield* readFlags<Flags>(apiCommand(), args)
    return {
      host,
      port,
      allowedHosts,
      trustedProxies,
      basePath,
      statementTimeoutSeconds: statementTimeout,
      logFormat,
      ...(yield* environment),
    }
  })

const environment = Effect.gen(function* () {
  const databaseUrl = yield* needSecret('DATABASE_URL', `the PostgreSQL of the inventory, ${databaseExample}`)
  yield* checkDatabaseUrl('DATABASE_URL', databaseUrl)
  const secretKey = yield* needSecret(secretKeyName, secretKeyHint)
  return {
    databaseUrl,
    secretKey,
    gateway: yield* readGatewayAddress,
    bootstrapToken: yield* readSecret(bootstrapTokenName),
    openId: yield* readOpenId,
    netBox: yield* readNetBox,
  }
})
