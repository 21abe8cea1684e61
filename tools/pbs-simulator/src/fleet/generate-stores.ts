import type { DatastoreState, GcState, UsageState } from '../state/pbs-state.ts'
import { atLeast, type Profile } from '../state/profile.ts'
import type { Random } from '../state/random.ts'
import { nextEvent } from '../state/schedule.ts'
import { formatUpid } from '../state/upid.ts'
import { emptyNamespace, emptyStore } from './empty-state.ts'

const DAY = 86_400
const TERABYTE = 1_000_000_000_000

/** The input for the stores of a server. */
export interface StoreSetting {
  readonly node: string
  readonly profile: Profile
  readonly release: string
  readonly now: number
  readonly timezone: string
  readonly random: Random
  /** Whether there are stores that cannot be read: offline, and not mounted. */
  readonly unreadable: boolean
}

/** The usage so many half hours ago: it has grown a little ever since. */
const shareAt = (share: number, halfHours: number): number =>
  Math.max(0, Math.round((share - halfHours * 0.0002) * 10_000) / 10_000)

const usageOf = ({ random, now }: StoreSetting, terabytes: number, share: number): UsageState => {
  const total = terabytes * TERABYTE
  const used = Math.round(total * share)
  const points = 1440
  // Gaps in the last day only: dice for the whole month would change every fleet made after them.
  const history = Array.from({ length: points }, (_, index) =>
    index >= points - 48 && random.chance(0.05) ? null : shareAt(share, points - index),
  )
  return {
    total,
    used,
    avail: Math.round((total - used) * 0.95),
    history,
    historyStart: Math.floor(now / 1800) * 1800 - points * 1800,
    estimatedFullDate: share < 0.2 ? 0 : now + Math.round((1 - share) * 400) * DAY,
  }
}

/** A collection that succeeded `daysAgo`; `last` is the outcome of the newest run, null while it runs. */
const gcOf = (setting: StoreSetting, store: string, used: number, last: string | null, taskId: number): GcState => {
  const { node, now, timezone, random } = setting
  const startTime = now - 8 * 3600 - (last === 'OK' ? 0 : DAY)
  const chunks = Math.max(1, Math.round(used / 1_900_000))
  return {
    status: {
      upid: formatUpid({
        node,
        taskId,
        startTime,
        workerType: 'garbage_collection',
        workerId: store,
        authId: 'root@pam',
      }),
      'index-file-count': 1200 + random.upTo(9000),
      'index-data-bytes': used * (12 + random.upTo(20)),
      'disk-bytes': used,
      'disk-chunks': chunks,
      'removed-bytes': random.upTo(2_000_000_000) * 30,
      'removed-chunks': random.upTo(40_000),
      'pending-bytes': random.upTo(2_000_000_000) * 6,
      'pending-chunks': random.upTo(9_000),
      'removed-bad': 0,
      'still-bad': 0,
    },
    lastRun: last === null ? { state: null, endtime: null } : { state: last, endtime: now - 8 * 3600 + 667 },
    nextRun: nextEvent('02:30', now, timezone),
  }
}

const deepest = 'teams/dev/eu/vienna/lab/rack1/shelf2'

const pathWithParents = (path: string): string[] => {
  const parts = path.split('/')
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

const collected = (
  setting: StoreSetting,
  name: string,
  size: { readonly terabytes: number; readonly share: number },
  last: string | null,
  fields: Partial<DatastoreState>,
): DatastoreState => {
  const usage = usageOf(setting, size.terabytes, size.share)
  return emptyStore(name, {
    usage,
    gcSchedule: '02:30',
    gc: gcOf(setting, name, usage.used, last, 0x10 + name.length),
    config: { 'notification-mode': 'notification-system', tuning: 'chunk-order=inode,sync-level=filesystem' },
    ...fields,
  })
}

/** The stores of a generated server: `tank` and `vault` are plain ones, the others each show something special. */
export const generateStores = (setting: StoreSetting): DatastoreState[] => {
  const since = (release: string) => atLeast({ version: setting.profile, release: setting.release }, release)
  const stores = [
    collected(setting, 'tank', { terabytes: 16, share: 0.59 }, 'OK', {
      comment: 'main pool',
      namespaces: ['', 'site-a', 'site-a/lab', 'site-b', ...pathWithParents(deepest)].map(emptyNamespace),
    }),
    collected(setting, 'vault', { terabytes: 40, share: 0.83 }, 'missing chunk marker file', {
      comment: 'copies of the other site',
      namespaces: ['', 'site-a'].map(emptyNamespace),
    }),
    collected(setting, 'archive', { terabytes: 8, share: 0.97 }, null, {
      comment: 'kept until 2030',
      maintenance: { mode: 'read-only', message: null },
    }),
    emptyStore('fresh', {
      usage: {
        total: 4 * TERABYTE,
        used: 24_576,
        avail: 4 * TERABYTE - 24_576,
        history: [],
        historyStart: 0,
        estimatedFullDate: null,
      },
    }),
  ]
  if (!setting.unreadable) return stores
  stores.push(
    collected(setting, 'cold', { terabytes: 12, share: 0.4 }, 'OK', {
      maintenance: { mode: 'offline', message: 'disk at vault' },
    }),
  )
  if (since('3.3'))
    stores.push(
      emptyStore('usb1', {
        path: 'backups',
        comment: 'weekly disk',
        mountStatus: 'notmounted',
        config: { 'backing-device': '6f0c1d7e-2b44-4c1a-9a35-7d1e0f5b8c21' },
      }),
    )
  if (since('4.0'))
    stores.push(
      collected(setting, 'bucket', { terabytes: 1, share: 0.1 }, 'OK', {
        path: '/mnt/cache/bucket',
        backendType: 's3',
        config: { backend: 'type=s3,client=minio,bucket=pbs' },
        s3Statistics: {
          downloaded: 120_034_123,
          uploaded: 98_111_230_004,
          get: 402,
          post: 0,
          put: 51_003,
          head: 77,
          delete: 3,
        },
      }),
    )
  return stores
}

/** How the snapshots of a server are shared out: per store and namespace, in parts of the whole. */
export const snapshotShares: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  tank: { '': 26, 'site-a': 16, 'site-a/lab': 6, 'site-b': 8, [deepest]: 4 },
  vault: { '': 14, 'site-a': 14 },
  archive: { '': 8 },
  bucket: { '': 4 },
}

/** The places of a guest that is stored several times, with the same times. */
export const twinPlaces: readonly (readonly [store: string, ns: string])[] = [
  ['tank', ''],
  ['tank', 'site-a'],
  ['tank', deepest],
  ['vault', ''],
]
