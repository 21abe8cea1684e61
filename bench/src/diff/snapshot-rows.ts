import { type Facts, formatTimestamp, type MainRow } from '@netbox-pbs/core'

/** How many snapshots a guest has: one a day. */
export const rowsPerGroup = 50

/**
 * Both sides of the snapshots `[from, to)` of a fleet, equal by value and nothing shared, as the
 * database and a frame bring them.
 */
export function bothSides(from: number, to: number) {
  const facts = Array.from({ length: to - from }, (_, i) => snapshotFacts(from + i))
  const main: ReadonlyArray<MainRow<'snapshot'>> = copied(facts).map((row, i) => ({
    id: from + i + 1,
    presence: 'listed',
    facts: row,
  }))
  return { main, source: copied(facts) }
}

function snapshotFacts(index: number): Facts<'snapshot'> {
  const guest = Math.floor(index / rowsPerGroup)
  const day = index % rowsPerGroup
  return {
    server: 1 + (guest % 20),
    datastore_name: `store-${guest % 4}`,
    namespace: guest % 3 === 0 ? '' : `customers/c${guest % 100}`,
    backup_type: guest % 4 === 0 ? 'ct' : 'vm',
    backup_id: String(100 + guest),
    backup_time: formatTimestamp(1_700_000_000_000 + day * 86_400_000),
    size_bytes: 34_359_738_368 + index,
    owner: 'backup@pbs!pve',
    protected: day === 0,
    comment: `guest-${guest}.example.net`,
    verification_state: 'ok',
    verification_upid: 'UPID:pbs:000003F2:00001A2B:00000021:6A1A6ED0:verificationjob:store:root@pam:',
    crypt_mode: 'encrypt',
    key_fingerprint: '9d:20:5c:aa:41:7e:03:bb:64:f8:19:c2:8e:57:0d:36:e1:92:4b:7f:a8:15:dc:60:33:fe:08:b7:5a:c9:71:1e',
    finished: true,
    manifest_files: [
      { filename: 'qemu-server.conf.blob', crypt_mode: 'encrypt', size: 428 },
      { filename: 'drive-scsi0.img.fidx', crypt_mode: 'encrypt', size: 34_359_738_368 + index },
    ],
    other_files: [{ filename: 'client.log.blob' }],
  }
}

// border: JSON.parse of JSON.stringify gives the same type
const copied = (rows: ReadonlyArray<Facts<'snapshot'>>) =>
  JSON.parse(JSON.stringify(rows)) as ReadonlyArray<Facts<'snapshot'>>
