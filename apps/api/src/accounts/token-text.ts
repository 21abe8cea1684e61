import { createHash, randomInt, timingSafeEqual } from 'node:crypto'

/** The parts of a token's text: the key to look it up by, and the secret that proves it. */
export interface Credentials {
  readonly key: string
  readonly secret: string
  readonly version: 1 | 2
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** The parts of a fresh token: a secret of 40 characters, and for version 2 a key of 12 of its own. */
export const newCredentials = (version: 1 | 2 = 2, secret = randomText(40)): Credentials => ({
  key: version === 2 ? randomText(12) : hashSecret(secret).slice(0, 12),
  secret,
  version,
})

/** A token as clients send it. */
export const tokenText = ({ key, secret, version }: Credentials): string =>
  version === 2 ? `nbt_${key}.${secret}` : secret

/**
 * Reads a token's text: `nbt_<key>.<secret>`, or any text without that prefix as NetBox's version 1;
 * null: the prefix without a dot. Version 1 has no public part, so its key is the start of its hash;
 * it too is stored hashed only.
 */
export function readToken(text: string): Credentials | null {
  if (!text.startsWith('nbt_')) return { key: hashSecret(text).slice(0, 12), secret: text, version: 1 }
  const [, key = '', secret] = /^nbt_([^.]*)\.(.*)$/s.exec(text) ?? []
  if (secret === undefined) return null
  // A key that no token has is not looked up: the database refuses some characters.
  return { key: /^[\w-]{1,64}$/.test(key) ? key : '', secret, version: 2 }
}

/** Hex SHA-256 of a secret, as it is stored. 40 random characters need no slow hash. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Whether a secret has this hash, in a time that does not tell how much of it is right. */
export function secretHasHash(secret: string, hash: string): boolean {
  const own = Buffer.from(hashSecret(secret))
  const other = Buffer.from(hash)
  return own.length === other.length && timingSafeEqual(own, other)
}

function randomText(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
}
