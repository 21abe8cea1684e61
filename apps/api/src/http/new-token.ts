import { randomInt } from 'node:crypto'
import { hashSecret } from './token-auth.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** A fresh API token: its public key, its secret, which is shown once, and the hash that is kept. Written `nbt_<key>.<secret>`. */
export function newToken(): { readonly key: string; readonly secret: string; readonly secretHash: string } {
  const secret = randomText(40)
  return { key: randomText(12), secret, secretHash: hashSecret(secret) }
}

function randomText(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
}
