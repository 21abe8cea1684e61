import type { Profile } from './profile.ts'

/** Any JSON value; used where PBS fields are passed through untouched. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * Everything a simulated server answers from: plain, mutable data.
 *
 * Times are epoch seconds, sizes bytes. The server reads it at each request, so a test may change any part between
 * two requests. Large groups hold their snapshots as an arithmetic {@link Series}; read them with `snapshotsOf`.
 */
export interface PbsState {
  name: string
  profile: Profile
  version: string
  release: string
  repoid: string
  /** 32 hex characters; served from 4.2 on. */
  instanceId: string
  /** IANA name; the zone schedules are computed in. */
  timezone: string
  /** The time of the newest fact; `nextRun` values and ages are relative to it. */
  now: number
  /** Seed of the row order, so that lists come in another order at each call yet reproducibly. */
  seed: number
  datastores: DatastoreState[]
  remotes: RemoteState[]
  jobs: JobsState
  tasks: TaskState[]
  accounts: Account[]
  acl: AclEntry[]
}

/** A datastore with its namespaces. */
export interface DatastoreState {
  name: string
  path: string
  comment: string | null
  gcSchedule: string | null
  maintenance: { mode: string; message: string | null } | null
  mountStatus: string
  backendType: string
  usage: UsageState
  gc: GcState
  /** Further fields of `/config/datastore`, as on the wire. */
  config: Record<string, Json>
  activeOperations: { read: number; write: number }
  /** Bytes and requests of an S3 backend; null elsewhere. */
  s3Statistics: Record<string, number> | null
  /** The root namespace has the path `''` and is always there. */
  namespaces: NamespaceState[]
}

/** The statfs values of a datastore, and PBS's history of them. */
export interface UsageState {
  total: number
  used: number
  avail: number
  /** Shares 0..1, null for gaps; empty when there is no history yet. */
  history: (number | null)[]
  historyStart: number
  /** 0 means never; null means too few points. */
  estimatedFullDate: number | null
}

/** Numbers of the last successful garbage collection, named as on the wire; `upid` is null when it never ran. */
export interface GcStatus {
  upid: string | null
  'index-file-count': number
  'index-data-bytes': number
  'disk-bytes': number
  'disk-chunks': number
  'removed-bytes': number
  'removed-chunks': number
  'pending-bytes': number
  'pending-chunks': number
  'removed-bad': number
  'still-bad': number
}

/** Garbage collection of a store: last success, last run, next run. */
export interface GcState {
  status: GcStatus
  /** `state` and `endtime` are null while it runs. Null when it never ran. */
  lastRun: { state: string | null; endtime: number | null } | null
  nextRun: number | null
}

/** A namespace: its full path and the groups directly in it. */
export interface NamespaceState {
  path: string
  groups: GroupState[]
}

/** A backup group: an arithmetic series of snapshots, plus explicit ones. */
export interface GroupState {
  backupType: string
  backupId: string
  owner: string
  /** False: the owner file cannot be read, and PBS silently skips the group. */
  ownerReadable: boolean
  /** Full group notes; rows show their first line. */
  notes: string | null
  series: Series | null
  snapshots: SnapshotState[]
}

/** A finished run of a verify job: every snapshot older than it that was not verified before is verified by it. */
export interface VerifyRun {
  readonly upid: string
  readonly startTime: number
}

/**
 * Many snapshots of one guest as a formula, so that a million of them need little memory.
 *
 * Snapshot `i` of `[from, to)` was taken at `base + i * step` plus a small seeded jitter; its other facts follow from
 * `seed` and `i`, so they stay the same when older snapshots are pruned and newer ones are added.
 */
export interface Series {
  readonly seed: number
  readonly base: number
  readonly step: number
  from: number
  to: number
  /** Sizes of the disk images (vm) or of the archive (ct, host), in bytes. */
  readonly disks: readonly number[]
  readonly crypt: 'none' | 'encrypt' | 'sign-only' | 'mixed'
  readonly fingerprint: string | null
  notes: string | null
  /** Shared by the groups of a store; in ascending order of time. Null: never verified. */
  readonly verifyRuns: VerifyRun[] | null
}

/** A file of a snapshot, as on the wire; without size and crypt mode when it is not in the manifest. */
export type SnapshotFile = {
  filename: string
  'crypt-mode'?: string
  size?: number
}

/** One snapshot. It is finished when its files contain `index.json.blob`. */
export interface SnapshotState {
  backupTime: number
  files: SnapshotFile[]
  protected: boolean
  /** Full notes; rows show their first line as `comment`. Null: no key in the row. */
  notes: string | null
  verification: { upid: string; state: string } | null
  fingerprint: string | null
}

/** The five kinds of jobs; garbage collection lives in its datastore. */
export interface JobsState {
  verify: JobState[]
  prune: PruneJobState[]
  sync: SyncJobState[]
  tape: TapeJobState[]
}

/** The last run of a job; `state` and `endtime` are null while it runs. */
export interface JobRun {
  upid: string
  state: string | null
  endtime: number | null
}

/** The fields that all jobs have. `options` are further wire fields of the configuration. */
export interface JobState {
  id: string
  store: string
  ns: string | null
  schedule: string | null
  comment: string | null
  options: Record<string, Json>
  lastRun: JobRun | null
  nextRun: number | null
}

/** A prune job; the only kind that can be disabled. */
export interface PruneJobState extends JobState {
  disable: boolean
}

/** A sync job; `remote` null is local-to-local. */
export interface SyncJobState extends JobState {
  direction: 'pull' | 'push'
  remote: string | null
  remoteStore: string
  remoteNs: string | null
}

/** A tape backup job. */
export interface TapeJobState extends JobState {
  nextMediaLabel: string | null
}

/** An entry of the task archive; `status` and `endtime` are null while it runs. The UPID says the rest. */
export interface TaskState {
  upid: string
  status: string | null
  endtime: number | null
}

/** A configured remote PBS. */
export interface RemoteState {
  name: string
  host: string
  authId: string
  port: number | null
  fingerprint: string | null
  comment: string | null
}

/** A user (`secret` null) or an API token. */
export interface Account {
  authId: string
  secret: string | null
  enabled: boolean
  /** Epoch seconds; 0 is never. */
  expire: number
}

/** One entry of the access control list. */
export interface AclEntry {
  path: string
  authId: string
  role: string
  propagate: boolean
}
