import { join } from 'node:path'
import { Effect, Option, Redacted } from 'effect'
import type { Environment } from '../config.ts'
import { newGatewayKey, newSecretKey, readOrMakeSecret } from '../data-folder/key-file.ts'
import { type CannotRun, WrongUsage } from '../failures.ts'

/** The keys of a system. */
export interface Keys {
  /** Encrypts what api and worker must read back. */
  readonly secretKey: Redacted.Redacted<string>
  /** Encrypts the PBS token secrets; the gateway alone knows it. */
  readonly gatewaySecretKey: Redacted.Redacted<string>
  /** The gateway's API key, which worker and api call it with. */
  readonly gatewayKey: Redacted.Redacted<string>
}

/** Keys come from the environment, else from 0600 files of the data folder, made when missing; a system without a folder makes them anew. */
export const readKeys = (
  environment: Environment,
  dataDir: string | null,
): Effect.Effect<Keys, CannotRun | WrongUsage> => {
  const key = (given: Option.Option<Redacted.Redacted<string>>, file: string, make: () => string) =>
    Option.match(given, {
      onSome: Effect.succeed,
      onNone: () =>
        dataDir === null ? Effect.sync(() => Redacted.make(make())) : readOrMakeSecret(join(dataDir, file), make),
    })
  return Effect.all({
    secretKey: key(environment.secretKey, 'secret.key', newSecretKey),
    gatewaySecretKey: key(environment.gatewaySecretKey, 'gateway-secret.key', newSecretKey),
    gatewayKey: key(environment.gatewayKey, 'gateway-api.key', newGatewayKey).pipe(
      Effect.filterOrFail(
        (gatewayKey) => Redacted.value(gatewayKey).length >= 32,
        () =>
          new WrongUsage({
            message: 'NETBOX_PBS_GATEWAY_KEY must have at least 32 characters; "openssl rand -base64 32" makes one',
          }),
      ),
    ),
  })
}
