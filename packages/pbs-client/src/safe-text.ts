import { Redacted } from 'effect'
import type { PbsConnection } from './connection.ts'

/** The longest text of a peer in an error, in UTF-16 units. */
const maxLength = 300

/** As many characters of a secret in a row are taken for a part of it. */
const partLength = 8

/**
 * A text of the peer as it may stand in an error: one line of printable characters, bounded, and
 * without the secret or parts of it should the peer echo it. Never throws, whatever the text and
 * the secret hold.
 */
export const safeText = (connection: Pick<PbsConnection, 'tokenSecret'>, text: string): string => {
  const secret = Redacted.value(connection.tokenSecret).toWellFormed()
  // Longer texts are cut first: the search below looks at every character.
  // The encoded form first, which holds parts of the plain one.
  const shown = [encodeURIComponent(secret), secret].reduce(withoutParts, text.slice(0, 16 * maxLength).toWellFormed())
  return printableLine(shown).slice(0, maxLength).toWellFormed()
}

/** One line without control characters, and without the marks that turn the direction of a text. */
export const printableLine = (text: string): string =>
  text.replaceAll(/[\s\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()

/** Replaces every run of characters that stands in the secret, from eight on; of a shorter secret only the whole. */
const withoutParts = (text: string, secret: string): string => {
  const least = Math.min(partLength, secret.length)
  if (least === 0) return text
  const kept: Array<string> = []
  let from = 0
  let at = 0
  while (at + least <= text.length) {
    if (!secret.includes(text.slice(at, at + least))) {
      at += 1
      continue
    }
    let end = at + least
    while (end < text.length && secret.includes(text.slice(at, end + 1))) end += 1
    kept.push(text.slice(from, at), '<redacted>')
    from = end
    at = end
  }
  return [...kept, text.slice(from)].join('')
}
