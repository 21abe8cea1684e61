import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Config, Effect, Option, Redacted } from 'effect'
import { minKeyLength } from './http/api-key.ts'
import { WrongUsage } from './wrong-usage.ts'

/** What `start:gateway` is told by flags and environment. */
export interface GatewayConfig {
  readonly host: string
  readonly port: number
  /** The gateway's own database, else the common one. */
  readonly databaseUrl: Redacted.Redacted<string>
  /** Seals the token secrets; its shape is judged where the box is made. */
  readonly secretKey: Redacted.Redacted<string>
  /** Made known at the start; without it the first key is registered on loopback. */
  readonly bootstrapKey: Option.Option<Redacted.Redacted<string>>
}

/** How the command is called. */
export const usage = 'start:gateway [--host 127.0.0.1] [--port 8800]'

/** Reads flags and environment; every mistake is one sentence that names the flag or variable and what to do. */
export const readConfig = (args: ReadonlyArray<string>): Effect.Effect<GatewayConfig, WrongUsage> =>
  Effect.gen(function* () {
    const flags = yield* readFlags(args)
    return { ...flags, ...(yield* environment) }
  })

const databaseName = 'NETBOX_PBS_GATEWAY_DATABASE_URL'
/** The variable that holds the key of the stored secrets. */
export const secretKeyName = 'NETBOX_PBS_GATEWAY_SECRET_KEY'
const keyName = 'NETBOX_PBS_GATEWAY_KEY'

const environment = Effect.gen(function* () {
  const own = yield* secret(databaseName)
  const common = yield* secret('DATABASE_URL')
  const [name, url] = Option.isSome(own) ? [databaseName, own] : ['DATABASE_URL', common]
  if (Option.isNone(url)) {
    return yield* wrong(
      `Set DATABASE_URL or ${databaseName} to the PostgreSQL of the gateway, for example postgres://user:password@host:5432/netbox_pbs.`,
    )
  }
  if (!/^postgres(ql)?:\/\/./.test(Redacted.value(url.value))) {
    return yield* wrong(`${name} is not a PostgreSQL URL; it begins with postgres:// or postgresql://.`)
  }
  const secretKey = yield* secret(secretKeyName)
  if (Option.isNone(secretKey)) {
    return yield* wrong(
      `Set ${secretKeyName} (or ${secretKeyName}_FILE) to 32 random bytes in base64, for example from: openssl rand -base64 32.`,
    )
  }
  const bootstrapKey = yield* secret(keyName)
  if (Option.isSome(bootstrapKey) && Redacted.value(bootstrapKey.value).length < minKeyLength) {
    return yield* wrong(`${keyName} is too short; use at least ${minKeyLength} random characters.`)
  }
  return { databaseUrl: url.value, secretKey: secretKey.value, bootstrapKey }
})

const readFlags = (args: ReadonlyArray<string>): Effect.Effect<Pick<GatewayConfig, 'host' | 'port'>, WrongUsage> =>
  Effect.gen(function* () {
    const { values } = yield* Effect.try({
      try: () =>
        parseArgs({
          args: [...args],
          options: { host: { type: 'string', default: '127.0.0.1' }, port: { type: 'string', default: '8800' } },
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
    return { host: values.host, port: Number(values.port) }
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
