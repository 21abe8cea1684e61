import { encodeFrame, type Frame, type GroupFrame } from '../src/contract/index.ts'

/** A group with `count` snapshots, newest first. */
export const groupFrame = (backup_id: string, count = 1): GroupFrame => ({
  frame: 'group',
  server: 'pbs-a',
  datastore: 'tank',
  namespace: 'site-a',
  backup_type: 'vm',
  backup_id,
  owner: 'root@pam',
  comment: 'für "100"',
  snapshots: Array.from({ length: count }, (_, index) => ({
    backup_time: `2026-05-${String(28 - (index % 28)).padStart(2, '0')}T02:00:00Z`,
    size_bytes: 4_294_967_296 + index,
    owner: 'root@pam',
    protected: false,
    comment: '',
    verification_state: 'ok',
    verification_upid: 'UPID:pbs-a:00000F2B:000A1B2C:00000001:64A00000:verify:tank:root@pam:',
    crypt_mode: 'none',
    finished: true,
    manifest_files: [
      { filename: 'drive-scsi0.img.fidx', size: 4_294_967_296, crypt_mode: 'none' },
      { filename: 'qemu-server.conf.blob', size: 441, crypt_mode: 'none' },
    ],
    other_files: [{ filename: 'client.log.blob' }, { filename: 'index.json.blob', size: 512, crypt_mode: 'none' }],
  })),
})

const snapshots = { resource: 'snapshots', server: 'pbs-a', datastore: 'tank', namespace: 'site-a' } as const

/** One frame of every kind, as a stream could send them. */
export const everyFrame: ReadonlyArray<Frame> = [
  { frame: 'scope', resource: 'servers' },
  {
    frame: 'server',
    server: 'pbs-a',
    name: 'pbs-a',
    host: 'pbs-a.example',
    port: 8007,
    token_id: 'sync@pbs!netbox',
    fingerprint: '',
    verify_ssl: true,
    version: '4.2.1',
    timezone: 'Europe/Vienna',
    endpoint_id: 3,
    observed: { status: 'reachable', last_seen_at: '2026-05-02T00:00:00.25Z', latency_ms: 12, tls_checked: true },
  },
  { frame: 'complete', resource: 'servers', count: 1, view: null },
  { frame: 'scope', resource: 'datastores', server: 'pbs-a' },
  {
    frame: 'datastore',
    server: 'pbs-a',
    name: 'tank',
    path: '/mnt/tank',
    comment: '',
    maintenance: '',
    mount_status: '',
    backend_type: '',
    observed: {
      used_bytes: 1,
      total_bytes: 2,
      avail_bytes: null,
      gc_status: 'ok',
      estimated_full_at: null,
    },
  },
  { frame: 'complete', resource: 'datastores', server: 'pbs-a', count: 1, view: 'v1' },
  { frame: 'scope', resource: 'namespaces', server: 'pbs-a', datastore: 'tank' },
  { frame: 'namespace', server: 'pbs-a', datastore: 'tank', path: 'site-a' },
  { frame: 'complete', resource: 'namespaces', server: 'pbs-a', datastore: 'tank', count: 1, view: 'v1' },
  { frame: 'scope', ...snapshots },
  groupFrame('100', 2),
  { frame: 'warning', ...snapshots, code: 'unknown_enum_value', message: 'backup type "tape"' },
  { frame: 'complete', ...snapshots, count: 2, view: 'v1' },
  { frame: 'scope', resource: 'jobs', server: 'pbs-a', job_type: 'verify' },
  {
    frame: 'job',
    server: 'pbs-a',
    job_type: 'verify',
    job_id: 'v-1',
    store: 'tank',
    namespace: '',
    remote: '',
    schedule: 'daily',
    comment: '',
    disable: false,
    options: { 'outdated-after': 30 },
    observed: { last_run_state: 'ok', last_run_endtime: '2026-05-01T02:00:00Z', next_run: null },
  },
  {
    frame: 'failed',
    resource: 'jobs',
    server: 'pbs-a',
    job_type: 'verify',
    error: { code: 'tls_untrusted', message: 'no chain', presented_fingerprint: '22:22' },
    retryable: false,
  },
  {
    frame: 'end',
    items: [
      {
        endpoint_id: 3,
        name: 'pbs-a',
        resource: 'full',
        fetched: 5,
        written: 0,
        errors: [],
        netbox_branch_schema_id: null,
      },
    ],
  },
]

/** Frames as the bytes of a stream. */
export const bytesOf = (frames: ReadonlyArray<Frame>): Buffer => Buffer.from(frames.map(encodeFrame).join(''))
