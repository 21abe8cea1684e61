import {
  checkDatabaseUrl,
  databaseExample,
  type LogFormat,
  logFormatFlag,
  needSecret,
  readFlags,
  readGatewayAt,
  readLogFormat,
  secretKeyHint,
  WrongUsage,
} from '@netbox-pbs/app-shell'
import type { GatewayAt } from '@netbox-pbs/sync'
import { Duration, Effect, type Redacted } from 'effect'

/** What `start:worker` is told by flags and environment. */
export interface WorkerConfig {
  /** Jobs at a time. */
  readonly concurrency: number
  /** Seconds of silence after which other workers take this one's jobs. */
  readonly heartbeatTimeoutSeconds: number
  /** How long one job may take. */
  readonly jobTimeLimit: Duration.Duration
  readonly databaseUrl: Redacted.Redacted<string>
  /** Opens the gateway's key in the settings; its shape is judged where the box is made. */
  readonly secretKey: Redacted.Redacted<string>
  /** The gateway where the settings name none; null: the settings must. */
  readonly gateway: GatewayAt | null
  readonly logFormat: LogFormat
}

/** How the command is called. */
export const usage =
  'start:worker [--concurrency 4] [--heartbeat-timeout 60] [--job-time-limit 720] [--log-format text]'

/** The variable that holds the key of the stored secrets. */
export const secretKeyName = 'NETBOX_PBS_SECRET_KEY'

/** Reads flags and environment; every mistake is one sentence that names the flag or variable and what to do. */
export const readConfig = (args: ReadonlyArray<string>): Effect.Effect<WorkerConfig, WrongUsage> =>
  Effect.gen(function* () {
    const flags = yield* readFlags(
      args,
      {
        concurrency: { type: 'string', default: '4' },
        'heartbeat-timeout': { type: 'string', default: '60' },
        'job-time-limit': { type: 'string', default: '720' },
        ...logFormatFlag,
      },
      usage,
    )
    const concurrency = yield* readNumber('--concurrency', flags.concurrency, 1, 100)
    const heartbeatTimeoutSeconds = yield* readNumber('--heartbeat-timeout', flags['heartbeat-timeout'], 10, 3600)
    const jobTimeLimit = Duration.minutes(yield* readNumber('--job-time-limit', flags['job-time-limit'], 1, 1440))
    const logFormat = yield* readLogFormat(flags['log-format'])
    const databaseUrl = yield* needSecret('DATABASE_URL', `the PostgreSQL of the inventory, ${databaseExample}`)
    yield* checkDatabaseUrl('DATABASE_URL', databaseUrl)
    const secretKey = yield* needSecret(secretKeyName, secretKeyHint)
    return {
      concurrency,
      heartbeatTimeoutSeconds,
      jobTimeLimit,
      databaseUrl,
      secretKey,
      gateway: yield* readGatewayAt,
      logFormat,
    }
  })

const readNumber = (flag: string, text: string, least: number, most: number): Effect.Effect<number, WrongUsage> =>
  /^\d{1,4}$/.test(text) && Number(text) >= least && Number(text) <= most
    ? Effect.succeed(Number(text))
    : new WrongUsage({ message: `${flag} ${text} is not a number from ${least} to ${most}.` })
