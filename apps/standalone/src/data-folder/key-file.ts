import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Effect, Redacted } from 'effect'
import { CannotRun } from '../failures.ts'

/** Writes a file that only its owner may read, its folder included. */
export const writePrivateFile = (path: string, text: string): Effect.Effect<void, CannotRun> =>
  Effect.try({
    try: () => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeFileSync(path, text, { mode: 0o600 })
      chmodSync(path, 0o600)
    },
    catch: (cause) =>
      new CannotRun({
        message: `cannot write ${path}: check the rights of its folder, or choose another with --data-dir`,
        cause,
      }),
  })

/** The secret in a file of the data folder, without surrounding white space; made by `make` when there is none. */
export const readOrMakeSecret = (
  path: string,
  make: () => string,
): Effect.Effect<Redacted.Redacted<string>, CannotRun> =>
  Effect.gen(function* () {
    if (existsSync(path)) {
      const text = yield* Effect.try({
        try: () => readFileSync(path, 'utf8').trim(),
        catch: (cause) =>
          new CannotRun({ message: `cannot read the key file ${path}: make it readable for this user`, cause }),
      })
      if (text === '')
        return yield* new CannotRun({
          message: `the key file ${path} is empty: restore it, or delete it together with what was stored under it`,
        })
      return Redacted.make(text)
    }
    const made = make()
    yield* writePrivateFile(path, `${made}\n`)
    return Redacted.make(made)
  })

/** 32 random bytes in base64, as the secret keys are written. */
export const newSecretKey = (): string => randomBytes(32).toString('base64')

/** A random API key of the gateway, 43 characters. */
export const newGatewayKey = (): string => randomBytes(32).toString('base64url')
