import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { SecretBox, SecretUnreadable, type StoreFailed } from '@netbox-pbs/core/ports'
import { Data, Effect, Layer, Redacted } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'

/** The key is invalid. `keyName` is the variable that holds it. */
export class SecretKeyInvalid extends Data.TaggedError('SecretKeyInvalid')<{ readonly keyName: string }> {
  override get message(): string {
    return `${this.keyName} is not a key: set it to 32 bytes in base64, as made by \`openssl rand -base64 32\``
  }
}

/** The key of a box, and the name of its variable for errors. */
export interface SecretBoxOptions {
  /** 32 bytes in base64. */
  readonly key: Redacted.Redacted<string>
  readonly keyName: string
}

const cipher = 'aes-256-gcm'
const version = 'v1'
const nonceBytes = 12
const tagBytes = 16

/**
 * A box with one key. A sealed text is `v1.<nonce>.<ciphertext and tag>`, both in base64url; the
 * version and the purpose are authenticated with it.
 */
export const secretBoxLayer = (options: SecretBoxOptions): Layer.Layer<SecretBox, SecretKeyInvalid> =>
  Layer.effect(SecretBox, Effect.map(parseKey(options), box))

function parseKey({ key, keyName }: SecretBoxOptions): Effect.Effect<readonly [Buffer, string], SecretKeyInvalid> {
  const text = Redacted.value(key).trim()
  const bytes = Buffer.from(text, 'base64')
  // Buffer skips characters that are not base64 instead of rejecting them.
  const whole = bytes.length === 32 && bytes.toString('base64').replace('=', '') === text.replace(/=$/, '')
  return whole ? Effect.succeed([bytes, keyName]) : Effect.fail(new SecretKeyInvalid({ keyName }))
}

function box([key, keyName]: readonly [Buffer, string]): typeof SecretBox.Service {
  const authenticated = (purpose: string): Buffer => Buffer.from(`${version}:${purpose}`)
  return {
    seal: ({ secret, purpose }) =>
      Effect.sync(() => {
        const nonce = randomBytes(nonceBytes)
        const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(authenticated(purpose))
        const body = Buffer.concat([
          sealing.update(Redacted.value(secret), 'utf8'),
          sealing.final(),
          sealing.getAuthTag(),
        ])
        return `${version}.${nonce.toString('base64url')}.${body.toString('base64url')}`
      }),
    open: ({ sealed, purpose }) =>
      Effect.try({
        try: () => {
          const [found, nonceText = '', bodyText = ''] = sealed.split('.')
          const nonce = Buffer.from(nonceText, 'base64url')
          const body = Buffer.from(bodyText, 'base64url')
          if (found !== version || nonce.length !== nonceBytes || body.length < tagBytes) throw new Error('not sealed')
          const opening = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
            .setAAD(authenticated(purpose))
            .setAuthTag(body.subarray(-tagBytes))
          const plain = Buffer.concat([opening.update(body.subarray(0, -tagBytes)), opening.final()])
          return Redacted.make(plain.toString('utf8'))
        },
        catch: () => new SecretUnreadable({ keyName }),
      }),
  }
}

const purpose = 'check'

/** Stores the value that tells a key at the first start, and opens it at each later one. `table` holds it. */
export const checkSecretKeyIn = Effect.fn('checkSecretKey')(function* (
  database: typeof Database.Service,
  table: readonly [string] | readonly [string, string],
): Effect.fn.Return<void, StoreFailed | SecretUnreadable, SecretBox> {
  const box = yield* SecretBox
  const fresh = yield* box.seal({ secret: Redacted.make('netbox-pbs'), purpose })
  const name = sql.id(...table)
  const { rows } = yield* database.query('checking the secret key', async (db) => {
    // Many processes may start at once with a new key: all of them open the value of the first.
    await sql`insert into ${name} (id, sealed) values (1, ${fresh}) on conflict do nothing`.execute(db)
    return await sql<{ sealed: string }>`select sealed from ${name}`.execute(db)
  })
  for (const { sealed } of rows) yield* box.open({ sealed, purpose })
})

/**
 * Fails when the key is not the one that the inventory's secrets are stored under. Run it at the
 * start, after `migrate`.
 */
export const checkSecretKey: Effect.Effect<void, StoreFailed | SecretUnreadable, Database | SecretBox> = Effect.flatMap(
  Database,
  (database) => checkSecretKeyIn(database, ['secret_check']),
)
