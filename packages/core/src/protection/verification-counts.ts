import type { Values } from '../registry/registry.ts'
import { type KnownNodes, verificationPlace, verifiedAt } from '../verification-place.ts'

type Verified = Pick<Values<'snapshot'>, 'datastore_name' | 'verification_state' | 'verification_upid'>

/** What a verification says of a finished snapshot where it lies. */
export type VerificationKind = 'here' | 'elsewhere' | 'unknown' | 'failed' | 'none'

/** The days after which a verification here is outdated. */
export const verificationDays = 30

/**
 * What the verification of a snapshot says of it where it lies. A failed one counts wherever it was
 * made, because a copy may hold the same bad data.
 *
 * | state | place | kind |
 * | --- | --- | --- |
 * | none | | none |
 * | failed | any | failed |
 * | ok | here, elsewhere, unknown | the place |
 * | another | any | unknown |
 */
export function verificationKind(snapshot: Verified, nodes: KnownNodes): VerificationKind {
  const { verification_state: state } = snapshot
  if (state === '') return 'none'
  if (state === 'failed') return 'failed'
  return state === 'ok' ? verificationPlace(snapshot, nodes) : 'unknown'
}

/** Whether a verification is of this place and older than `verificationDays`; `now` is in seconds since 1970. */
export function isOutdated(snapshot: Verified, nodes: KnownNodes, now: number): boolean {
  const at = verifiedAt(snapshot)
  return at !== null && at < now - verificationDays * 86_400 && verificationKind(snapshot, nodes) === 'here'
}
