import {
  allowedHostFlag,
  checkDatabaseUrl,
  databaseExample,
  filled,
  type LogFormat,
  logFormatFlag,
  needSecret,
  newCommand,
  port,
  readFlags,
  readSecret,
  secretKeyHint,
  WrongUsage,
} from '@netbox-pbs/app-shell'
import { Effect, Option, Redacted } from 'effect'
import manifest from '../package.json' with { type: 'json' }
import { minKeyLength } from './http/api-key.ts'

/** The configuration of `start:gateway`, from flags and environment. */
export interface GatewayConfig {
  readonly host: string
  readonly port: number
  readonly allowedHosts: ReadonlyArray<string>
  /** The gateway's own database, else the common one. */
  readonly databaseUrl: Redacted.Redacted<string>
  /** Seals the token secrets; its shape is judged where the box is made. */
  readonly secretKey: Redacted.Redacted<string>
  /** Made known at the start; without it the first key is registered on loopback. */
  readonly bootstrapKey: Option.Option<Redacted.Redacted<string>>
  readonly logFormat: LogFormat
}

/** The flags of `start:gateway`. */
export const gatewayCommand = () =>
  newCommand('start:gateway', 'serve /pbs/* and read the fleet', manifest.version)
    .option('--host <address>', 'where to listen', filled, '127.0.0.1')
    .option('--port <port>', 'port of /pbs/*; 0 takes a free one', port, 8800)
    .addOption(allowedHostFlag())
    .addOption(logFormatFlag())

interface Flags {
  readonly host: string
  readonly port: number
  readonly allowedHost?: ReadonlyArray<string>
  readonly logFormat: LogFormat
}

/** Reads flags and environment; the error of a mistake names the flag or variable and the next step. */
export const readConfig = (args: ReadonlyArray<string>): Effect.Effect<GatewayConfig, WrongUsage> =>
  Effect.gen(function* () {
    const { allowedHost: allowedHosts = [], ...flags } = yield* readFlags<Flags>(gatewayCommand(), args)
    return { ...flags, allowedHosts, ...(yield* environment) }
  })

const databaseName = 'NETBOX_PBS_GATEWAY_DATABASE_URL'
/** The variable that holds the key of the stored secrets. */
export const secretKeyName = 'NETBOX_PBS_GATEWAY_SECRET_KEY'
const keyName = 'NETBOX_PBS_GATEWAY_KEY'

const environment = Effect.gen(function* () {
  const databaseUrl = yield* readDatabaseUrl
  const secretKey = yield* needSecret(secretKeyName, secretKeyHint)
  const bootstrapKey = yield* readSecret(keyName)
  if (Option.isSome(bootstrapKey) && Redacted.value(bootstrapKey.value).length < minKeyLength) {
    return yield* wrong(`${keyName} is too short; use at least ${minKeyLength} random characters.`)
  }
  return { databaseUrl, secretKey, bootstrapKey }
})

const readDatabaseUrl = Effect.gen(function* () {
  const own = yield* readSecret(databaseName)
  if (Option.isSome(own)) return yield* checkDatabaseUrl(databaseName, own.value)
  const common = yield* readSecret('DATABASE_URL')
  if (Option.isSome(common)) return yield* checkDatabaseUrl('DATABASE_URL', common.value)
  return yield* wrong(`Set DATABASE_URL or ${databaseName} to the PostgreSQL of the gateway, ${databaseExample}.`)
})

const wrong = (message: string) => new WrongUsage({ message })
