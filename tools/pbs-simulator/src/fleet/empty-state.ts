import type { DatastoreState, GroupState, NamespaceState, PbsState } from '../state/pbs-state.ts'
import { type Profile, patchLevelOf } from '../state/profile.ts'
import { createRandom } from '../state/random.ts'
import { createAccess } from './accounts.ts'

/** A server with its accounts and nothing else; the start of a custom state. */
export const emptyState = (options: {
  readonly name: string
  readonly seed?: number
  readonly profile?: Profile
  readonly now?: number
  readonly timezone?: string
}): PbsState => {
  const { name, seed = 1, profile = '4.2', now = 1_780_358_400, timezone = 'Europe/Vienna' } = options
  const random = createRandom(seed)
  return {
    name,
    profile,
    version: profile,
    release: patchLevelOf(profile),
    repoid: random.hex(40),
    instanceId: random.hex(32),
    timezone,
    now,
    seed,
    datastores: [],
    remotes: [],
    jobs: { verify: [], prune: [], sync: [], tape: [] },
    tasks: [],
    ...createAccess(seed, 'tank', 'site-a'),
  }
}

/** A plain local datastore that was never garbage collected, with an empty root namespace; override any field. */
export const emptyStore = (name: string, fields: Partial<DatastoreState> = {}): DatastoreState => ({
  name,
  path: `/mnt/datastore/${name}`,
  comment: null,
  gcSchedule: null,
  maintenance: null,
  mountStatus: 'nonremovable',
  backendType: 'filesystem',
  usage: { total: 0, used: 0, avail: 0, history: [], historyStart: 0, estimatedFullDate: null },
  gc: {
    status: {
      upid: null,
      'index-file-count': 0,
      'index-data-bytes': 0,
      'disk-bytes': 0,
      'disk-chunks': 0,
      'removed-bytes': 0,
      'removed-chunks': 0,
      'pending-bytes': 0,
      'pending-chunks': 0,
      'removed-bad': 0,
      'still-bad': 0,
    },
    lastRun: null,
    nextRun: null,
  },
  config: {},
  activeOperations: { read: 0, write: 0 },
  s3Statistics: null,
  namespaces: [emptyNamespace('')],
  ...fields,
})

/** A namespace without groups. */
export const emptyNamespace = (path: string): NamespaceState => ({ path, groups: [] })

/** A group without snapshots; override any field. */
export const emptyGroup = (backupType: string, backupId: string, fields: Partial<GroupState> = {}): GroupState => ({
  backupType,
  backupId,
  owner: 'backup@pbs!pve',
  ownerReadable: true,
  notes: null,
  series: null,
  snapshots: [],
  ...fields,
})
