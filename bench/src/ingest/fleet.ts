import { formatTimestamp } from '@netbox-pbs/core'
import type { Frame, GroupSnapshot, SyncResource } from '@netbox-pbs/proxbox-client/contract'

/** The one server of the fleet. */
export const serverName = 'pbs-a'

/** How many snapshots a guest has: one a day. The last guest may have fewer. */
const snapshotsPerGroup = 20
const groupsPerNamespace = 500
const firstDay = Date.UTC(2026, 0, 1, 2)
const day = 86_400_000
const stores = ['store-1', 'store-2'] as const

/** A state of the fleet. */
export interface Fleet {
  readonly snapshots: number
  /** Every how many snapshots one has failed its verification since; null: none has. */
  readonly changedEvery: number | null
}

/** Everything that a gateway says of the fleet's servers, datastores or snapshots. */
export function* framesOf(
  fleet: Fleet,
  resource: Extract<SyncResource, 'servers' | 'datastores' | 'snapshots'>,
): Generator<Frame> {
  if (resource === 'servers') yield* serverFrames()
  if (resource === 'datastores') yield* datastoreFrames()
  if (resource === 'snapshots') yield* snapshotFrames(fleet)
  yield { frame: 'end', items: [{ ...nothingDone, resource, fetched: resource === 'snapshots' ? fleet.snapshots : 1 }] }
}

const nothingDone = { endpoint_id: 1, name: serverName, written: 0, errors: [], netbox_branch_schema_id: null }

function* serverFrames(): Generator<Frame> {
  const scope = { resource: 'servers' } as const
  yield { frame: 'scope', ...scope }
  yield {
    frame: 'server',
    server: serverName,
    name: serverName,
    host: '192.0.2.10',
    port: 8007,
    token_id: 'sync@pbs!netbox',
    fingerprint: '',
    verify_ssl: true,
    timeout_seconds: 30,
    version: '4.1.2',
    timezone: 'Europe/Vienna',
    endpoint_id: 1,
    observed: { status: 'reachable', last_seen_at: '2026-02-01T00:00:00Z' },
  }
  yield { frame: 'complete', ...scope, count: 1, visibility: null }
}

function* datastoreFrames(): Generator<Frame> {
  const scope = { resource: 'datastores', server: serverName } as const
  yield { frame: 'scope', ...scope }
  for (const name of stores) {
    yield {
      frame: 'datastore',
      server: serverName,
      name,
      path: `/mnt/datastore/${name}`,
      comment: '',
      maintenance: '',
      mount_status: '',
      backend_type: 'filesystem',
      observed: {
        used_bytes: 6_000_000_000_000,
        total_bytes: 10_000_000_000_000,
        avail_bytes: 4_000_000_000_000,
        gc_status: 'ok',
        estimated_full_at: null,
        gc_index_bytes: null,
        gc_disk_bytes: null,
        gc_removed_bytes: null,
        gc_pending_bytes: null,
        gc_bad_chunks: null,
        last_gc_at: null,
        last_gc_end: null,
      },
    }
  }
  yield { frame: 'complete', ...scope, count: stores.length, visibility: 'v1' }
}

function* snapshotFrames(fleet: Fleet): Generator<Frame> {
  const groups = Math.ceil(fleet.snapshots / snapshotsPerGroup)
  const perStore = Math.max(2, Math.ceil(groups / groupsPerNamespace / stores.length))
  const namespaces = perStore * stores.length
  for (const [storeIndex, datastore] of stores.entries()) {
    const scope = { resource: 'namespaces', server: serverName, datastore } as const
    yield { frame: 'scope', ...scope }
    for (let i = 0; i < perStore; i++) {
      yield { frame: 'namespace', server: serverName, datastore_name: datastore, path: namespacePath(i) }
    }
    yield { frame: 'complete', ...scope, count: perStore, visibility: 'v1' }
    for (let i = 0; i < perStore; i++) {
      const place = storeIndex * perStore + i
      const from = Math.floor((place * groups) / namespaces)
      const to = Math.floor(((place + 1) * groups) / namespaces)
      yield* namespaceFrames(fleet, datastore, namespacePath(i), from, to)
    }
  }
}

/** The first is the root. */
const namespacePath = (index: number): string => (index === 0 ? '' : `site-${index}`)

function* namespaceFrames(
  fleet: Fleet,
  datastore: string,
  namespace: string,
  from: number,
  to: number,
): Generator<Frame> {
  const scope = { resource: 'snapshots', server: serverName, datastore, namespace } as const
  yield { frame: 'scope', ...scope }
  let count = 0
  for (let guest = from; guest < to; guest++) {
    const first = guest * snapshotsPerGroup
    const size = Math.min(snapshotsPerGroup, fleet.snapshots - first)
    // newest first
    const snapshots = Array.from({ length: size }, (_, i) => snapshotOf(fleet, guest, first + size - 1 - i))
    count += size
    yield {
      frame: 'group',
      server: serverName,
      datastore_name: datastore,
      namespace,
      backup_type: isContainer(guest) ? 'ct' : 'vm',
      backup_id: String(100 + guest),
      owner: 'backup@pbs!pve',
      comment: guest % 10 === 0 ? `guest ${guest}, kept for the auditors` : '',
      snapshots,
    }
  }
  yield { frame: 'complete', ...scope, count, visibility: 'v1' }
}

const isContainer = (guest: number): boolean => guest % 4 === 0

function snapshotOf({ changedEvery }: Fleet, guest: number, index: number): GroupSnapshot {
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0')
  const config = 400 + (index % 100)
  const disk = 34_359_738_368 + 4096 * guest
  return {
    backup_time: formatTimestamp(firstDay + (index % snapshotsPerGroup) * day + guest * 1000),
    size_bytes: config + disk + (isContainer(guest) ? 65_536 : 0),
    owner: 'backup@pbs!pve',
    protected: index % snapshotsPerGroup === 0,
    comment: `guest-${guest}.example.net`,
    verification_state: changedEvery !== null && index % changedEvery === 0 ? 'failed' : 'ok',
    verification_upid: `UPID:pbs:000003F2:00001A2B:${hex(index)}:6A1A6ED0:verificationjob:store\\x3av\\x2d1:root@pam:`,
    crypt_mode: 'encrypt',
    key_fingerprint: '9d:20:5c:aa:41:7e:03:bb:64:f8:19:c2:8e:57:0d:36:e1:92:4b:7f:a8:15:dc:60:33:fe:08:b7:5a:c9:71:1e',
    finished: true,
    manifest_files: isContainer(guest)
      ? [
          { crypt_mode: 'encrypt', filename: 'catalog.pcat1.didx', size: 65_536 },
          { crypt_mode: 'encrypt', filename: 'pct.conf.blob', size: config },
          { crypt_mode: 'encrypt', filename: 'root.pxar.didx', size: disk },
        ]
      : [
          { crypt_mode: 'encrypt', filename: 'qemu-server.conf.blob', size: config },
          { crypt_mode: 'encrypt', filename: 'drive-scsi0.img.fidx', size: disk },
        ],
    other_files: [
      { crypt_mode: 'none', filename: 'index.json.blob', size: 520 },
      { crypt_mode: 'none', filename: 'client.log.blob', size: 1800 },
    ],
  }
}
