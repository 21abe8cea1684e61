import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { GatewayAt } from '@netbox-pbs/sync'
import { Config, Effect, Option, Redacted } from 'effect'
import { WrongUsage } from './wrong-usage.ts'

/** What `start:worker` is told by flags and environment. */
export interface WorkerConfig {
  /** Jobs at a time. */
  readonly concurrency: number
  readonly databaseUrl: Redacted.Redacted<string>
  /** Opens the gateway's key in the settings; its shape is judged where the box is made. */
  readonly secretKey: Redacted.Redacted<string>
  /** The gateway where the settings name none; null: the settings must. */
  readonly gateway: GatewayAt | null
}

/** How the command is called. */
export const usage = 'start:worker [--concurrency 4]'

/** The variable that holds the key of the stored secrets. */
export const secretKeyName = 'NETBOX_PBS_SECRET_KEY'
const urlName = 'NETBOX_PBS_GATEWAY_URL'
const keyName = 'NETBOX_PBS_GATEWAY_KEY'

/** Reads flags and environment; every mistake is one sentence that names the flag or variable and what to do. */
export const readConfig = (args: ReadonlyArray<string>): Effect.Effect<WorkerConfig, WrongUsage> =>
  Effect.gen(function* () {
    const concurrency = yield* readConcurrency(args)
    const databaseUrl = yield* secret('DATABASE_URL')
    if (Option.isNone(databaseUrl)) {
      return yield* wrong(
        'Set DATABASE_URL to the PostgreSQL of the inventory, for example postgres://user:password@host:5432/netbox_pbs.',
      )
    }
    if (!/^postgres(ql)?:\/\/./.test(Redacted.value(databaseUrl.value))) {
      return yield* wrong('DATABASE_URL is not a PostgreSQL URL; it begins with postgres:// or postgresql://.')
    }
    const secretKey = yield* secret(secretKeyName)
    if (Option.isNone(secretKey)) {
      return yield* wrong(
        `Set ${secretKeyName} (or ${secretKeyName}_FILE) to 32 random bytes in base64, for example from: openssl rand -base64 32.`,
      )
    }
    const gateway = yield* readGateway
    return { concurrency, databaseUrl: databaseUrl.value, secretKey: secretKey.value, gateway }
  })

const readGateway = Effect.gen(function* () {
  const url = yield* Config.option(Config.string(urlName)).pipe(
    Effect.catchTag('ConfigError', () => wrong(`${urlName} cannot be read from the environment.`)),
    Effect.map(Option.filter((text) => text !== '')),
  )
  const key = yield* secret(keyName)
  if (Option.isNone(url)) return null
  if (!/^https?:\/\/./.test(url.value)) return yield* wrong(`${urlName} is not an http or https URL; correct it.`)
  if (Option.isNone(key)) {
    return yield* wrong(
      `${urlName} is set without a key; set ${keyName} (or ${keyName}_FILE) to the gateway's API key.`,
    )
  }
  return { url: url.value, key: key.value }
})

const readConcurrency = (args: ReadonlyArray<string>): Effect.Effect<number, WrongUsage> =>
  Effect.gen(function* () {
    const { values } = yield* Effect.try({
      try: () =>
        parseArgs({
          args: [...args],
          options: { concurrency: { type: 'string', default: '4' } },
          strict: true,
          allowPositionals: false,
        }),
      // Node's own text names the flag; its first sentence is enough.
      catch: (error) =>
        new WrongUsage({
          message: `${(error instanceof Error ? error.message : String(error)).split(/\.(\s|$)/, 1)[0]}. Usage: ${usage}`,
        }),
    })
    const concurrency = Number(values.concurrency)
    if (!/^\d{1,3}$/.test(values.concurrency) || concurrency < 1 || concurrency > 100) {
      return yield* wrong(`--concurrency ${values.concurrency} is not a number from 1 to 100.`)
    }
    return concurrency
  })

/** A secret from its variable, else from the file that `<NAME>_FILE` names. */
const secret = (name: string): Effect.Effect<Option.Option<Redacted.Redacted<string>>, WrongUsage> =>
  Effect.gen(function* () {
    const value = yield* Config.option(Config.redacted(name))
    if (Option.isSome(value) && Redacted.value(value.value) !== '') return value
    const file = yield* Config.option(Config.string(`${name}_FILE`))
    if (Option.isNone(file) || file.value === '') return Option.none()
    return yield* Effect.try({
      try: () => Option.some(Redacted.make(readFileSync(file.value, 'utf8').trim())),
      catch: () =>
        new WrongUsage({
          message: `${name}_FILE: ${file.value} cannot be read; make it a file that this user may read.`,
        }),
    })
  }).pipe(Effect.catchTag('ConfigError', () => wrong(`${name} cannot be read from the environment.`)))

const wrong = (message: string) => new WrongUsage({ message })
