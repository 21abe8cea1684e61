import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { WrongUsage } from '@netbox-pbs/app-shell'
import type { SecretUnreadable } from '@netbox-pbs/core/ports'
import { secretBoxLayer } from '@netbox-pbs/store-postgres'
import { Effect, Layer, Option, Redacted } from 'effect'
import { type Environment, keyNames, minGatewayKeyLength } from '../config.ts'
import { keyFiles } from '../data-folder/contents.ts'
import { writePrivateFile } from '../data-folder/private-file.ts'
import { CannotRun } from '../failures.ts'

/** The keys of a system. */
export interface Keys {
  /** Encrypts secrets that api and worker must read back. */
  readonly secretKey: Redacted.Redacted<string>
  /** Encrypts the PBS token secrets; the gateway alone knows it. */
  readonly gatewaySecretKey: Redacted.Redacted<string>
  /** The gateway's API key, which worker and api call it with. */
  readonly gatewayKey: Redacted.Redacted<string>
}

/** A key and where it comes from. */
interface FoundKey {
  readonly name: string
  readonly text: Redacted.Redacted<string>
  /** Null: it was given, or is kept nowhere. */
  readonly file: string | null
  /** Made by this start. */
  readonly made: boolean
}

/** The keys a start has found or made up, before anything is written. */
export type FoundKeys = Readonly<Record<keyof Keys, FoundKey>>

/**
 * Finds the keys: from the environment, else from 0600 files of the data folder; it writes nothing.
 * Missing keys are generated, without a folder all of them.
 */
export const findKeys = (
  environment: Environment,
  dataDir: string | null,
): Effect.Effect<FoundKeys, CannotRun | WrongUsage> => {
  const find = (key: keyof Keys, make: () => string): Effect.Effect<FoundKey, CannotRun> => {
    const name = keyNames[key]
    const given = environment[key]
    if (Option.isSome(given)) return Effect.succeed({ name, text: given.value, file: null, made: false })
    const path = dataDir === null ? null : join(dataDir, keyFiles[key])
    if (path !== null && existsSync(path))
      return Effect.map(readKeyFile(path), (text) => ({ name, text, file: path, made: false }))
    return Effect.sync(() => ({ name, text: Redacted.make(make()), file: path, made: true }))
  }
  return Effect.all({
    secretKey: Effect.tap(find('secretKey', newSecretKey), checkSecretKeyShape),
    gatewaySecretKey: Effect.tap(find('gatewaySecretKey', newSecretKey), checkSecretKeyShape),
    gatewayKey: Effect.tap(find('gatewayKey', newGatewayKey), ({ text, file }) =>
      Redacted.value(text).length < minGatewayKeyLength
        ? new CannotRun({
            message: `the key file ${file} holds fewer than ${minGatewayKeyLength} characters: delete it, and a new key is made`,
          })
        : Effect.void,
    ),
  })
}

/** Writes the keys that were made up to their files. */
export const keepKeys = (found: FoundKeys): Effect.Effect<Keys, CannotRun> =>
  Effect.forEach(
    Object.values(found),
    ({ text, file, made }) =>
      made && file !== null ? writePrivateFile(file, `${Redacted.value(text)}\n`) : Effect.void,
    { discard: true },
  ).pipe(
    Effect.as({
      secretKey: found.secretKey.text,
      gatewaySecretKey: found.gatewaySecretKey.text,
      gatewayKey: found.gatewayKey.text,
    }),
  )

/**
 * The error of data that was sealed with another key. A key that this start generated is not kept,
 * because it opens nothing.
 */
export const otherKey =
  (found: FoundKeys) =>
  (unreadable: SecretUnreadable): Effect.Effect<never, CannotRun> =>
    Effect.suspend(() => {
      const key = Object.values(found).find(({ name }) => name === unreadable.keyName)
      if (key === undefined || key.file === null)
        return new CannotRun({ message: unreadable.message, cause: unreadable })
      if (key.made) {
        rmSync(key.file, { force: true })
        return new CannotRun({
          message: `stored secrets cannot be read, because ${key.file} is not there: restore this file, or set ${key.name} to the key it held`,
          cause: unreadable,
        })
      }
      return new CannotRun({
        message: `stored secrets cannot be read with the key in ${key.file}: restore the key they were stored under, or set ${key.name} to it`,
        cause: unreadable,
      })
    })

const readKeyFile = (path: string): Effect.Effect<Redacted.Redacted<string>, CannotRun> =>
  Effect.try({
    try: () => Redacted.make(readFileSync(path, 'utf8').trim()),
    catch: (cause) =>
      new CannotRun({ message: `cannot read the key file ${path}: make it readable for this user`, cause }),
  })

const checkSecretKeyShape = ({ name, text, file }: FoundKey): Effect.Effect<void, CannotRun | WrongUsage> =>
  Effect.scoped(Layer.build(secretBoxLayer({ key: text, keyName: name }))).pipe(
    Effect.asVoid,
    Effect.mapError(({ message }) =>
      file === null
        ? new WrongUsage({ message })
        : new CannotRun({
            message: `the key file ${file} does not contain 32 bytes in base64: restore it, because data stored under its key cannot be read without it`,
          }),
    ),
  )

/** 32 random bytes in base64, as the secret keys are written. */
const newSecretKey = (): string => randomBytes(32).toString('base64')

/** A random API key of the gateway, 43 characters. */
const newGatewayKey = (): string => randomBytes(32).toString('base64url')
