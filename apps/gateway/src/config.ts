import {
  allowedHostFlag,
  checkDatabaseUrl,
  databaseExample,
  type LogFormat,
  logFormatFlag,
  needSecret,
  readAllowedHosts,
  readFlags,
  readListenFlags,
  readLogFormat,
  readSecret,
  secretKeyHint,
  WrongUsage,
} from '@netbox-pbs/app-shell'
import { Effect, Option, Redacted } from 'effect'
import { minKeyLength } from './http/api-key.ts'

/** What `start:gateway` is told by flags and environment. */
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

/** How the command is called. */
export const usage = 'start:gateway [--host 127.0.0.1] [--port 8800] [--allowed-host NAME …] [--log-format text]'

/** Reads flags and environment; every mistake is one sentence that names the flag or variable and what to do. */
export const readConfig = (args: ReadonlyArray<string>): Effect.Effect<GatewayConfig, WrongUsage> =>
  Effect.gen(function* () {
    const flags = yield* readFlags(args, options, usage)
    const logFormat = yield* readLogFormat(flags['log-format'])
    const allowedHosts = yield* readAllowedHosts(flags['allowed-host'])
    return { ...(yield* readListenFlags(flags)), allowedHosts, logFormat, ...(yield* environment) }
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

const options = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '8800' },
  ...allowedHostFlag,
  ...logFormatFlag,
} as const

const wrong = (message: string) => new WrongUsage({ message })
