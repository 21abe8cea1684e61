import {
  checkDatabaseUrl,
  databaseExample,
  type LogFormat,
  logFormatFlag,
  needSecret,
  newCommand,
  readFlags,
  readGatewayAddress,
  secretKeyHint,
  type WrongUsage,
  wholeNumber,
} from '@netbox-pbs/app-shell'
import type { GatewayAddress } from '@netbox-pbs/sync'
import { Duration, Effect, type Redacted } from 'effect'
import manifest from '../package.json' with { type: 'json' }

/** The configuration of `start:worker`, from flags and environment. */
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
  readonly gateway: GatewayAddress | null
  readonly logFormat: LogFormat
}

/** The flags of `start:worker`. */
export const workerCommand = () =>
  newCommand('start:worker', 'take sync jobs from the queue and run them', manifest.version)
    .option('--concurrency <jobs>', 'jobs at the same time', wholeNumber(1, 100), 4)
    .option(
      '--heartbeat-timeout <seconds>',
      "seconds without a heartbeat after which other workers take this one's jobs",
      wholeNumber(10, 3600),
      60,
    )
    .option('--job-time-limit <minutes>', 'minutes that one job may take', wholeNumber(1, 1440), 720)
    .addOption(logFormatFlag())

interface Flags {
  readonly concurrency: number
  readonly heartbeatTimeout: number
  readonly jobTimeLimit: number
  readonly logFormat: LogFormat
}

/** The variable that holds the key of the stored secrets. */
export const secretKeyName = 'NETBOX_PBS_SECRET_KEY'

/** Reads flags and environment; the error of a mistake names the flag or variable and the next step. */
export const readConfig = (args: ReadonlyArray<string>): Effect.Effect<WorkerConfig, WrongUsage> =>
  Effect.gen(function* () {
    const { concurrency, heartbeatTimeout, jobTimeLimit, logFormat } = yield* readFlags<Flags>(workerCommand(), args)
    const databaseUrl = yield* needSecret('DATABASE_URL', `the PostgreSQL of the inventory, ${databaseExample}`)
    yield* checkDatabaseUrl('DATABASE_URL', databaseUrl)
    const secretKey = yield* needSecret(secretKeyName, secretKeyHint)
    return {
      concurrency,
      heartbeatTimeoutSeconds: heartbeatTimeout,
      jobTimeLimit: Duration.minutes(jobTimeLimit),
      databaseUrl,
      secretKey,
      gateway: yield* readGatewayAddress,
      logFormat,
    }
  })
