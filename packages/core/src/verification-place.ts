import type { Values } from './registry/registry.ts'

/** Nodes of a fleet, as the UPIDs of its servers' own tasks name them. */
export interface KnownNodes {
  /** Those of the snapshot's server. A server has more than one when its host was renamed. */
  readonly own: ReadonlySet<string>
  /** Those of all other servers. */
  readonly others: ReadonlySet<string>
}

/** The worker types of PBS that verify snapshots. The worker id of each begins with the datastore. */
export const verifyingWorkers = ['verify', 'verificationjob', 'verify_group', 'verify_snapshot'] as const

/**
 * Where a snapshot was verified. A sync of PBS copies the manifest, and the verification in it with
 * its UPID: that was made on the disks of another datastore, and says nothing about this copy.
 *
 * | the UPID | place |
 * | --- | --- |
 * | there is no verification | none |
 * | is no UPID of a verification | unknown |
 * | names another datastore | elsewhere |
 * | names this datastore, and a node of this server alone | here |
 * | names this datastore, and a node of other servers alone | elsewhere |
 * | names this datastore, and a node of none or of several | unknown |
 */
export function verificationPlace(
  {
    datastore_name,
    verification_state,
    verification_upid,
  }: Pick<Values<'snapshot'>, 'datastore_name' | 'verification_state' | 'verification_upid'>,
  { own, others }: KnownNodes,
): 'here' | 'elsewhere' | 'unknown' | 'none' {
  if (verification_state === '') return 'none'
  // UPID:<node>:<pid>:<pstart>:<task_id>:<starttime>:<worker_type>:<worker_id>:<auth_id>:
  const [mark, node = '', , , , , worker = '', id = ''] = verification_upid.split(':')
  const verifies = (verifyingWorkers as ReadonlyArray<string>).includes(worker)
  if (mark !== 'UPID' || node === '' || id === '' || !verifies) return 'unknown'
  // The worker id is escaped as systemd does; of the characters of a datastore's name that is the hyphen alone.
  const [store] = id.split('\\x3a')
  if (store !== datastore_name.replaceAll('-', '\\x2d')) return 'elsewhere'
  if (own.has(node)) return others.has(node) ? 'unknown' : 'here'
  return others.has(node) ? 'elsewhere' : 'unknown'
}

/**
 * When a verification began, in seconds since 1970, as its UPID says; null: there is none, or the
 * UPID does not tell.
 */
export function verifiedAt({
  verification_state,
  verification_upid,
}: Pick<Values<'snapshot'>, 'verification_state' | 'verification_upid'>): number | null {
  const [mark, , , , , start = ''] = verification_upid.split(':')
  if (verification_state === '' || mark !== 'UPID' || !/^[0-9A-Fa-f]{1,8}$/.test(start)) return null
  const seconds = Number.parseInt(start, 16)
  return seconds === 0 ? null : seconds
}
