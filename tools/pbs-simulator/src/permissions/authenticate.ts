import { timingSafeEqual } from 'node:crypto'
import type { Account, PbsState } from '../state/pbs-state.ts'
import { ownerOf } from './privileges.ts'

/** The sender of a request, or why it was rejected. */
export type Authentication = { readonly authId: string } | { readonly reason: string }

const SCHEME = 'PBSAPIToken'
const realmPart = '[A-Za-z0-9_][A-Za-z0-9._-]*'
const tokenIdPattern = new RegExp(`^[^\\s:/\\u0000-\\u001f\\u007f]+@${realmPart}!${realmPart}$`)

const percentDecoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

const usable = (account: Account | undefined, now: number): boolean =>
  account?.enabled === true && (account.expire === 0 || account.expire > now)

const sameText = (left: string, right: string): boolean => {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Reads an `Authorization` header as PBS does: after the literal `PBSAPIToken` one byte, `=` or space, is skipped,
 * the rest is split at its first colon, and the secret is percent-decoded.
 */
export const authenticate = (state: PbsState, header: string | undefined, now: number): Authentication => {
  if (header === undefined || !header.startsWith(SCHEME)) return { reason: 'no authentication credentials provided.' }
  const separator = header.charAt(SCHEME.length)
  if (separator !== '=' && separator !== ' ') return { reason: 'no authentication credentials provided.' }
  const rest = header.slice(SCHEME.length + 1)
  const colon = rest.indexOf(':')
  if (colon === -1) return { reason: 'failed to split API token header' }
  const authId = rest.slice(0, colon)
  const secret = percentDecoded(rest.slice(colon + 1))
  if (!tokenIdPattern.test(authId)) return { reason: `not a valid user id` }
  if (secret === null) return { reason: 'failed to decode API token header' }
  const find = (id: string | null) => state.accounts.find((account) => account.authId === id)
  const token = find(authId)
  if (!usable(token, now) || !usable(find(ownerOf(authId)), now)) return { reason: 'user account disabled or expired.' }
  if (typeof token?.secret !== 'string' || !sameText(token.secret, secret))
    return { reason: 'invalid API token secret' }
  return { authId }
}
