import { existsSync, readFileSync } from 'node:fs'
import { Config, type ConfigError, Effect, Option, type Redacted, Redacted as Secret } from 'effect'
import { CannotRun, WrongUsage } from './failures.ts'

/** The environment of the command. Each secret is also read from the file that `<NAME>_FILE` names. */
export interface Environment {
  /** PostgreSQL instead of the embedded database. */
  readonly databaseUrl: Option.Option<Redacted.Redacted<string>>
  readonly gatewayDatabaseUrl: Option.Option<Redacted.Redacted<string>>
  /** 32 bytes in base64: encrypts what api and worker must read back. */
  readonly secretKey: Option.Option<Redacted.Redacted<string>>
  /** 32 bytes in base64: encrypts the PBS token secrets. */
  readonly gatewaySecretKey: Option.Option<Redacted.Redacted<string>>
  /** The gateway's first API key, at least 32 characters. */
  readonly gatewayKey: Option.Option<Redacted.Redacted<string>>
  /** The first admin token. */
  readonly bootstrapToken: Option.Option<Redacted.Redacted<string>>
}

type Failure = ConfigError.ConfigError | CannotRun | WrongUsage

const secret = (name: string): Effect.Effect<Option.Option<Redacted.Redacted<string>>, Failure> =>
  Effect.gen(function* () {
    const value = yield* Config.option(Config.redacted(name))
    const file = yield* Config.option(Config.string(`${name}_FILE`))
    if (Option.isSome(value) && Secret.value(value.value) !== '') return value
    if (Option.isNone(file) || file.value === '') return Option.none()
    if (!existsSync(file.value))
      return yield* new WrongUsage({ message: `${name}_FILE: there is no file ${file.value}` })
    return yield* Effect.try({
      try: () => Option.some(Secret.make(readFileSync(file.value, 'utf8').trim())),
      catch: (cause) =>
        new CannotRun({ message: `${name}_FILE: cannot read ${file.value}; make it readable for this user`, cause }),
    })
  })

/** Reads the environment. Shapes are checked where a value is used. */
export const environment: Effect.Effect<Environment, Failure> = Effect.all({
  databaseUrl: secret('DATABASE_URL'),
  gatewayDatabaseUrl: secret('NETBOX_PBS_GATEWAY_DATABASE_URL'),
  secretKey: secret('NETBOX_PBS_SECRET_KEY'),
  gatewaySecretKey: secret('NETBOX_PBS_GATEWAY_SECRET_KEY'),
  gatewayKey: secret('NETBOX_PBS_GATEWAY_KEY'),
  bootstrapToken: secret('NETBOX_PBS_BOOTSTRAP_TOKEN'),
})
