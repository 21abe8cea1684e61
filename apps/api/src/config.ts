import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Config, Effect, Option, Redacted } from 'effect'
import { WrongUsage } from './wrong-usage.ts'

type Secret = Redacted.Redacted<string>

/** What `start:api` is told by flags and environment. */
export interface ApiConfig {
  readonly host: string
  readonly port: number
  readonly allowedHosts: ReadonlyArray<string>
  readonly databaseUrl: Secret
  /** Opens what the settings keep sealed; its shape is judged where the box is made. */
  readonly secretKey: Secret
  /** Where the gateway is unless the settings say otherwise. */
  readonly gateway: { readonly url: string; readonly key: Secret }
  /** An admin token that is made known at the start, so that there is a first one. */
  readonly bootstrapToken: Option.Option<Secret>
}

/** How the command is called. */
export const usage = 'start:api [--host 127.0.0.1] [--port 8000] [--allowed-host NAME …]'

/** The variable that holds the key of the sealed settings. */
export const secretKeyName = 'NETBOX_PBS_SECRET_KEY'

/** The variable that holds the first token. */
export const bootstrapTokenName = 'NETBOX_PBS_BOOTSTRAP_TOKEN'

/** Reads flags and environment; every mistake is one sentence that names the flag or variable and what to do. */
export const readConfig = (args: ReadonlyArray<string>): Effect.Effect<ApiConfig, WrongUsage> =>
  Effect.gen(function* () {
    const flags = yield* readFlags(args)
    return { ...flags, ...(yield* environment) }
  })

const environment = Effect.gen(function* () {
  const databaseUrl = yield* needed(
    'DATABASE_URL',
    'the PostgreSQL of the inventory, for example postgres://user:password@host:5432/netbox_pbs',
  )
  if (!/^postgres(ql)?:\/\/./.test(Redacted.value(databaseUrl))) {
    return yield* wrong('DATABASE_URL is not a PostgreSQL URL; it begins with postgres:// or postgresql://.')
  }
  const secretKey = yield* needed(secretKeyName, '32 random bytes in base64, for example from: openssl rand -base64 32')
  const url = yield* Config.option(Config.string('NETBOX_PBS_GATEWAY_URL')).pipe(Effect.orElseSucceed(Option.none))
  const key = yield* secret('NETBOX_PBS_GATEWAY_KEY')
  const bootstrapToken = yield* secret(bootstrapTokenName)
  const gateway = {
    url: Option.getOrElse(url, () => ''),
    key: Option.getOrElse(key, () => Redacted.make('')),
  }
  return { databaseUrl, secretKey, gateway, bootstrapToken }
})

const readFlags = (
  args: ReadonlyArray<string>,
): Effect.Effect<Pick<ApiConfig, 'host' | 'port' | 'allowedHosts'>, WrongUsage> =>
  Effect.gen(function* () {
    const { values } = yield* Effect.try({
      try: () =>
        parseArgs({
          args: [...args],
          options: {
            host: { type: 'string', default: '127.0.0.1' },
            port: { type: 'string', default: '8000' },
            'allowed-host': { type: 'string', multiple: true, default: [] },
          },
          strict: true,
          allowPositionals: false,
        }),
      // Node's own text names the flag; its first sentence is enough.
      catch: (error) =>
        new WrongUsage({
          message: `${(error instanceof Error ? error.message : String(error)).split(/\.(\s|$)/, 1)[0]}. Usage: ${usage}`,
        }),
    })
    if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65535) {
      return yield* wrong(`--port ${values.port} is not a port; give a number from 0 to 65535.`)
    }
    if (values.host.trim() === '') {
      return yield* wrong('--host is empty; give an address of this machine, 127.0.0.1 for this machine only.')
    }
    const unfit = values['allowed-host'].find((name) => !/^(?:\*|\.?[\w.-]+|\[[\da-f:.]+\])$/i.test(name))
    if (unfit !== undefined) {
      return yield* wrong(`--allowed-host ${unfit} is not a host; give a name without scheme, port or path.`)
    }
    return { host: values.host, port: Number(values.port), allowedHosts: values['allowed-host'] }
  })

const needed = (name: string, what: string): Effect.Effect<Secret, WrongUsage> =>
  Effect.flatMap(
    secret(name),
    Option.match({ onNone: () => wrong(`Set ${name} (or ${name}_FILE) to ${what}.`), onSome: Effect.succeed }),
  )

/** A secret from its variable, else from the file that `<NAME>_FILE` names. */
const secret = (name: string): Effect.Effect<Option.Option<Secret>, WrongUsage> =>
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
