import { readFileSync } from 'node:fs'
import { Config, Data, Effect, Option, Redacted } from 'effect'

/**
 * A flag or an environment variable is wrong. `message` names it and the next step; the process
 * ends with code 2.
 */
export class WrongUsage extends Data.TaggedError('WrongUsage')<{ readonly message: string }> {}

type Secret = Redacted.Redacted<string>

const wrong = (message: string) => new WrongUsage({ message })

/** A variable that is no secret; none when it is empty. */
export const readVariable = (name: string): Effect.Effect<Option.Option<string>, WrongUsage> =>
  Config.option(Config.string(name)).pipe(
    Effect.catchTag('ConfigError', () => wrong(`${name} cannot be read from the environment.`)),
    Effect.map(Option.filter((text) => text !== '')),
  )

/**
 * A secret from its variable, else from the file that `<NAME>_FILE` names, without the white space
 * around it; none when neither is set.
 */
export const readSecret = (name: string): Effect.Effect<Option.Option<Secret>, WrongUsage> =>
  Effect.gen(function* () {
    const value = yield* readVariable(name)
    if (Option.isSome(value)) return Option.map(value, Redacted.make)
    const file = yield* readVariable(`${name}_FILE`)
    if (Option.isNone(file)) return Option.none()
    return yield* Effect.try({
      try: () => Option.some(Redacted.make(readFileSync(file.value, 'utf8').trim())),
      catch: () => wrong(`${name}_FILE: ${file.value} cannot be read; make it a file that this user may read.`),
    })
  })

/** A required secret. `what` describes its value. */
export const needSecret = (name: string, what: string): Effect.Effect<Secret, WrongUsage> =>
  Effect.flatMap(
    readSecret(name),
    Option.match({ onNone: () => wrong(`Set ${name} (or ${name}_FILE) to ${what}.`), onSome: Effect.succeed }),
  )

/** How to make a secret key, for `needSecret`. */
export const secretKeyHint = '32 random bytes in base64, for example from: openssl rand -base64 32'

/** An example of a database address, for `needSecret`. */
export const databaseExample = 'for example postgres://user:password@host:5432/netbox_pbs'

/** Refuses an address that is not one of PostgreSQL. It may hold a password and is not repeated. */
export const checkDatabaseUrl = (name: string, url: Secret): Effect.Effect<Secret, WrongUsage> =>
  /^postgres(ql)?:\/\/./.test(Redacted.value(url))
    ? Effect.succeed(url)
    : wrong(`${name} is not a PostgreSQL URL; it begins with postgres:// or postgresql://.`)

const urlName = 'NETBOX_PBS_GATEWAY_URL'
const keyName = 'NETBOX_PBS_GATEWAY_KEY'

/** The gateway that a process is started with, and the key it is known by; null: the settings must name one. */
export const readGatewayAddress: Effect.Effect<{ readonly url: string; readonly key: Secret } | null, WrongUsage> =
  Effect.gen(function* () {
    const url = yield* readVariable(urlName)
    const key = yield* readSecret(keyName)
    if (Option.isNone(url)) return null
    if (!/^https?:\/\/./.test(url.value)) return yield* wrong(`${urlName} is not an http or https URL; correct it.`)
    if (Option.isNone(key)) {
      return yield* wrong(
        `${urlName} is set without a key; set ${keyName} (or ${keyName}_FILE) to the gateway's API key.`,
      )
    }
    return { url: url.value, key: key.value }
  })

/** The variable that names the NetBox whose tokens are accepted; the API reads the others. */
export const netBoxUrlName = 'NETBOX_PBS_NETBOX_URL'

/** The variable that names the provider of OpenID Connect; the API reads the others. */
export const openIdIssuerName = 'NETBOX_PBS_OIDC_ISSUER'
