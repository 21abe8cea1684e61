import {
  allowedHostFlag,
  checkDatabaseUrl,
  databaseExample,
  type LogFormat,
  logFormatFlag,
  needSecret,
  readAllowedHosts,
  readFlags,
  readGatewayAt,
  readListenFlags,
  readLogFormat,
  readSecret,
  secretKeyHint,
  WrongUsage,
} from '@netbox-pbs/app-shell'
import type { GatewayAt } from '@netbox-pbs/sync'
import { Effect, type Option, type Redacted } from 'effect'

type Secret = Redacted.Redacted<string>

/** What `start:api` is told by flags and environment. */
export interface ApiConfig {
  readonly host: string
  readonly port: number
  readonly allowedHosts: ReadonlyArray<string>
  /** Seconds that one statement of a request may take in the database. */
  readonly statementTimeoutSeconds: number
  readonly databaseUrl: Secret
  /** Opens what the settings keep sealed; its shape is judged where the box is made. */
  readonly secretKey: Secret
  /** The gateway where the settings name none; null: the settings must. */
  readonly gateway: GatewayAt | null
  /** An admin token that is made known at the start, so that there is a first one. */
  readonly bootstrapToken: Option.Option<Secret>
  readonly logFormat: LogFormat
}

/** How the command is called. */
export const usage =
  'start:api [--host 127.0.0.1] [--port 8000] [--allowed-host NAME …] [--statement-timeout 5] [--log-format text]'

/** The variable that holds the key of the sealed settings. */
export const secretKeyName = 'NETBOX_PBS_SECRET_KEY'

/** The variable that holds the first token. */
export const bootstrapTokenName = 'NETBOX_PBS_BOOTSTRAP_TOKEN'

/** Reads flags and environment; every mistake is one sentence that names the flag or variable and what to do. */
export const readConfig = (args: ReadonlyArray<string>): Effect.Effect<ApiConfig, WrongUsage> =>
  Effect.gen(function* () {
    const flags = yield* readFlags(args, options, usage)
    const allowedHosts = yield* readAllowedHosts(flags['allowed-host'])
    const logFormat = yield* readLogFormat(flags['log-format'])
    const statementTimeoutSeconds = yield* readSeconds(flags['statement-timeout'])
    return {
      ...(yield* readListenFlags(flags)),
      allowedHosts,
      statementTimeoutSeconds,
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
    gateway: yield* readGatewayAt,
    bootstrapToken: yield* readSecret(bootstrapTokenName),
  }
})

const options = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '8000' },
  ...allowedHostFlag,
  'statement-timeout': { type: 'string', default: '5' },
  ...logFormatFlag,
} as const

const readSeconds = (text: string): Effect.Effect<number, WrongUsage> =>
  /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 600
    ? Effect.succeed(Number(text))
    : new WrongUsage({ message: `--statement-timeout ${text} is not a number of seconds from 1 to 600.` })
