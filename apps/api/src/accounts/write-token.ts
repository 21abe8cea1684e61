import { ApiTokens, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Data, Effect, Option, Redacted } from 'effect'
import { type Credentials, hashSecret, newCredentials, readToken, secretHasHash, tokenText } from './token-text.ts'

/** A text given as a token cannot be used as one. */
export class TokenMalformed extends Data.TaggedError('TokenMalformed') {
  override get message(): string {
    return 'a token is nbt_ and 12 characters, a dot, and 40 characters, or 40 characters alone; all of them letters and digits'
  }
}

/** The text of a fresh token. */
export const newTokenText = (version: 1 | 2 = 2): Redacted.Redacted<string> =>
  Redacted.make(tokenText(newCredentials(version)))

/** Fails when a text cannot be a token. */
export const checkToken = (text: Redacted.Redacted<string>): Effect.Effect<void, TokenMalformed> =>
  Effect.asVoid(read(text))

/** Whether a token is good: stored with this secret, enabled and not expired. */
export const tokenKnown = (text: Redacted.Redacted<string>): Effect.Effect<boolean, StoreFailed, ApiTokens> =>
  Effect.gen(function* () {
    const { key, secret } = yield* read(text)
    const tokens = yield* ApiTokens
    const found = Option.getOrNull(yield* tokens.find({ key }))
    const now = yield* Clock.currentTimeMillis
    if (found === null || !found.enabled || !secretHasHash(secret, found.secretHash)) return false
    return found.expires === null || Date.parse(found.expires) > now
  }).pipe(Effect.catchTag('TokenMalformed', () => Effect.succeed(false)))

/**
 * Adds a token with a chosen text, for the user `admin` or another one. A known token does not change; another
 * secret under its key replaces it.
 */
export const writeToken = (
  text: Redacted.Redacted<string>,
  about: {
    readonly username?: string
    readonly description: string
    readonly write_enabled: boolean
    readonly expires: string | null
  },
): Effect.Effect<void, StoreFailed | TokenMalformed, ApiTokens> =>
  Effect.gen(function* () {
    const { key, secret, version } = yield* read(text)
    const tokens = yield* ApiTokens
    const earlier = Option.getOrNull(yield* tokens.find({ key }))
    if (earlier !== null && secretHasHash(secret, earlier.secretHash)) return
    if (earlier !== null) yield* tokens.remove({ ids: [earlier.id] })
    yield* tokens.create({ version, key, secretHash: hashSecret(secret), username: 'admin', ...about })
  })

const shape = /^(?:nbt_[A-Za-z0-9]{12}\.)?[A-Za-z0-9]{40}$/

const read = (text: Redacted.Redacted<string>): Effect.Effect<Credentials, TokenMalformed> => {
  const credentials = shape.test(Redacted.value(text)) ? readToken(Redacted.value(text)) : null
  return credentials === null ? Effect.fail(new TokenMalformed()) : Effect.succeed(credentials)
}
