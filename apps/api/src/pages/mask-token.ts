import { randomBytes } from 'node:crypto'

/**
 * Writes a token, in hexadecimal digits, as another text each time. A page that is compressed would
 * otherwise tell by its length how much of the token its address repeats.
 */
export function maskToken(token: string): string {
  const bytes = Buffer.from(token, 'hex')
  const mask = randomBytes(bytes.length)
  return Buffer.concat([mask, xor(bytes, mask)]).toString('hex')
}

/** The token of a masked one; of a text that is none, a text that no token equals. */
export function unmaskToken(masked: string): string {
  const bytes = Buffer.from(masked, 'hex')
  const half = bytes.length / 2
  return Number.isInteger(half) ? xor(bytes.subarray(0, half), bytes.subarray(half)).toString('hex') : ''
}

const xor = (bytes: Buffer, mask: Buffer): Buffer => Buffer.from(bytes.map((byte, at) => byte ^ (mask[at] ?? 0)))
