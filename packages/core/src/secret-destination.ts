/** The fields that decide where the stored token secret of a server is sent. */
export interface SecretDestination {
  readonly host: string
  readonly port: number
  readonly token_id: string
  /** SHA-256 of the pinned certificate; empty or null: none is pinned. */
  readonly fingerprint: string | null
  readonly verify_ssl: boolean
}

/**
 * The fields of a change that need the token secret again: another host, port or token id, a
 * removed fingerprint, and `verify_ssl` turned off. Without it, a user who does not know the secret
 * could have it sent to a server of their own; a new fingerprint at the same host and port does not
 * count, because a renewed certificate needs one.
 */
export function fieldsThatNeedSecret(
  before: SecretDestination,
  after: SecretDestination,
): ReadonlyArray<keyof SecretDestination> {
  const changed: Readonly<Record<keyof SecretDestination, boolean>> = {
    host: after.host !== before.host,
    port: after.port !== before.port,
    token_id: after.token_id !== before.token_id,
    fingerprint: isPinned(before) && !isPinned(after),
    verify_ssl: before.verify_ssl && !after.verify_ssl,
  }
  return destinationFields.filter((field) => changed[field])
}

/** The error for `token_secret` when it is missing from a change of these fields. */
export const secretNeeded = (fields: ReadonlyArray<keyof SecretDestination>): string =>
  `Send the secret of the token again. The stored one is kept only while ${list(fields.map((field) => kept[field]))}.`

const destinationFields = ['host', 'port', 'token_id', 'fingerprint', 'verify_ssl'] as const

const kept: Readonly<Record<keyof SecretDestination, string>> = {
  host: 'host stays the same',
  port: 'port stays the same',
  token_id: 'token_id stays the same',
  fingerprint: 'fingerprint is not removed',
  verify_ssl: 'verify_ssl is not turned off',
}

const isPinned = ({ fingerprint }: SecretDestination): boolean => fingerprint !== null && fingerprint !== ''

const list = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
