import {
  atLeast,
  type DatastoreState,
  type GroupState,
  type JobRun,
  type PbsState,
  type SnapshotFile,
  type SnapshotState,
  snapshotsOf,
} from '@netbox-pbs/pbs-simulator'

/** Rows as REST should show them, without ids and links; references by name. */
export interface ExpectedInventory {
  readonly datastores: ReadonlyArray<Record<string, unknown>>
  readonly namespaces: ReadonlyArray<Record<string, unknown>>
  readonly groups: ReadonlyArray<Record<string, unknown>>
  readonly snapshots: ReadonlyArray<Record<string, unknown>>
  readonly jobs: ReadonlyArray<Record<string, unknown>>
}

const time = (epoch: number | null): string | null =>
  epoch === null || epoch === 0 ? null : new Date(epoch * 1000).toISOString().replace('.000Z', 'Z')
const firstLine = (notes: string | null): string => (notes ?? '').split('\n', 1)[0]?.trim() ?? ''
const modes = ['offline', 'delete', 'unmount', 's3-refresh']

/** A store whose namespaces and snapshots can be read. */
export const isReadable = (store: DatastoreState): boolean =>
  store.mountStatus !== 'notmounted' && (store.maintenance === null || !modes.includes(store.maintenance.mode))

/**
 * The inventory expected of one simulated server, computed from the server's own state without code
 * of the system under test.
 */
export function expectedInventory(state: PbsState): ExpectedInventory {
  const readable = state.datastores.filter(isReadable)
  const spaces = readable.flatMap((store) => store.namespaces.map((space) => ({ store, space })))
  const groups = spaces.flatMap(({ store, space }) =>
    space.groups
      .filter((group) => group.ownerReadable)
      .map((group) => ({ place: { server: state.name, datastore_name: store.name, namespace: space.path }, group })),
  )
  return {
    datastores: state.datastores.map((store) => datastore(state, store)),
    namespaces: spaces.map(({ store, space }) => ({
      server: state.name,
      datastore_name: store.name,
      path: space.path,
      depth: space.path === '' ? 0 : space.path.split('/').length,
    })),
    groups: groups.flatMap(({ place, group }) => groupRow(state, place, group)),
    snapshots: groups.flatMap(({ place, group }) =>
      [...snapshotsOf(group)].map((snapshot) => snapshotRow(place, group, snapshot)),
    ),
    jobs: jobs(state),
  }
}

function datastore(state: PbsState, store: DatastoreState): Record<string, unknown> {
  const inS3 = store.backendType === 's3'
  const sized = isReadable(store) && !inS3
  return {
    server: state.name,
    name: store.name,
    path: store.path,
    comment: firstLine(store.comment),
    used_bytes: sized ? store.usage.used : null,
    total_bytes: sized ? store.usage.total : null,
    avail_bytes: sized ? store.usage.avail : null,
    mount_status: atLeast(state, '3.3') ? store.mountStatus : '',
    backend_type: inS3 || atLeast(state, '4.2') ? store.backendType : '',
    maintenance:
      store.maintenance === null
        ? ''
        : `${store.maintenance.mode}${store.maintenance.message === null ? '' : `: ${store.maintenance.message}`}`,
  }
}

const finished = (snapshot: SnapshotState): boolean =>
  snapshot.files.some(({ filename }) => filename === 'index.json.blob')
const inManifest = (file: SnapshotFile): boolean => file.filename !== 'index.json.blob' && file.size !== undefined
const byName = (a: { filename: string }, b: { filename: string }): number => (a.filename < b.filename ? -1 : 1)

function groupRow(
  state: PbsState,
  place: Record<string, unknown>,
  group: GroupState,
): ReadonlyArray<Record<string, unknown>> {
  const snapshots = [...snapshotsOf(group)]
  if (snapshots.length === 0 && !atLeast(state, '4.0.17')) return []
  const timesOf = (done: boolean) =>
    snapshots.filter((one) => finished(one) === done).map(({ backupTime }) => backupTime)
  const [backups, unfinished] = [timesOf(true), timesOf(false)]
  return [
    {
      ...place,
      backup_type: group.backupType,
      backup_id: group.backupId,
      owner: group.owner,
      comment: firstLine(group.notes),
      snapshot_count: snapshots.length,
      first_backup: time(backups.length === 0 ? null : Math.min(...backups)),
      last_backup: time(backups.length === 0 ? null : Math.max(...backups)),
      unfinished_since: time(unfinished.length === 0 ? null : Math.min(...unfinished)),
    },
  ]
}

function snapshotRow(
  place: Record<string, unknown>,
  group: GroupState,
  snapshot: SnapshotState,
): Record<string, unknown> {
  const done = finished(snapshot)
  const manifest = snapshot.files.filter((file) => done && inManifest(file))
  const others = snapshot.files.filter((file) => !(done && inManifest(file))).sort(byName)
  return {
    ...place,
    backup_type: group.backupType,
    backup_id: group.backupId,
    backup_time: time(snapshot.backupTime),
    size_bytes: done ? snapshot.files.reduce((sum, { size }) => sum + (size ?? 0), 0) : null,
    owner: group.owner,
    protected: snapshot.protected,
    comment: done ? firstLine(snapshot.notes) : '',
    verification_state: done ? (snapshot.verification?.state ?? '') : '',
    verification_upid: done ? (snapshot.verification?.upid ?? '') : '',
    finished: done,
    crypt_mode: done ? cryptMode(manifest) : '',
    key_fingerprint: done ? (snapshot.fingerprint ?? '') : '',
    files: [
      ...manifest.map((file) => ({
        filename: file.filename,
        size: file.size ?? null,
        crypt_mode: file['crypt-mode'] ?? null,
      })),
      ...others.map((file) => ({
        filename: file.filename,
        ...(file.size === undefined || !done ? {} : { size: file.size }),
        ...(file['crypt-mode'] === undefined || !done ? {} : { crypt_mode: file['crypt-mode'] }),
      })),
    ],
  }
}

function cryptMode(files: ReadonlyArray<SnapshotFile>): string {
  const found = new Set(files.map((file) => file['crypt-mode'] ?? 'none'))
  if (found.size === 1) return [...found][0] ?? 'none'
  return found.has('encrypt') || found.has('sign-only') ? 'mixed' : 'none'
}

const runState = (run: Pick<JobRun, 'state'> | null): string => {
  if (run === null) return 'unknown'
  if (run.state === null) return 'running'
  if (run.state === 'OK') return 'ok'
  if (run.state.startsWith('WARNINGS')) return 'warning'
  return run.state === 'unknown' ? 'unknown' : 'error'
}

const runError = (run: Pick<JobRun, 'state'> | null): string =>
  ['error', 'warning'].includes(runState(run)) ? (run?.state ?? '').slice(0, 1000).trim() : ''

function jobs(state: PbsState): ReadonlyArray<Record<string, unknown>> {
  const kinds = (['verify', 'prune', 'sync', 'tape'] as const).flatMap((job_type) =>
    state.jobs[job_type].map((job) => ({
      server: state.name,
      job_type,
      job_id: job.id,
      store: job.store,
      namespace: job.ns ?? '',
      schedule: job.schedule ?? '',
      comment: firstLine(job.comment),
      disable: 'disable' in job ? job.disable : false,
      remote: 'remote' in job ? (job.remote ?? '') : '',
      last_run_state: runState(job.lastRun),
      last_run_error: runError(job.lastRun),
      last_run_endtime: time(job.lastRun?.endtime ?? null),
    })),
  )
  const gc = state.datastores.map((store) => {
    // PBS says nothing of the runs of a store that never finished one, or that cannot be opened. Before 3.2 it names
    // the last success, without its end.
    const last = isReadable(store) && store.gc.status.upid !== null ? store.gc.lastRun : null
    const run = last !== null && !atLeast(state, '3.2') ? { state: 'OK', endtime: null } : last
    return {
      server: state.name,
      job_type: 'gc',
      job_id: store.name,
      store: store.name,
      namespace: '',
      schedule: store.gcSchedule ?? '',
      comment: '',
      disable: false,
      remote: '',
      last_run_state: runState(run),
      last_run_error: runError(run),
      last_run_endtime: time(run?.endtime ?? null),
    }
  })
  return [...kinds, ...gc]
}
