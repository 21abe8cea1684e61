import { countSnapshots } from '../state/count-snapshots.ts'
import type { NamespaceState, PbsState, VerifyRun } from '../state/pbs-state.ts'
import type { Profile } from '../state/profile.ts'
import { createRandom, fingerprintOf, type Random } from '../state/random.ts'
import { formatUpid } from '../state/upid.ts'
import { bulkGroup, fillNamespaces } from './bulk-groups.ts'
import { emptyState } from './empty-state.ts'
import { generateJobs } from './generate-jobs.ts'
import { generateStores, snapshotShares, twinPlaces } from './generate-stores.ts'
import { generateTasks } from './generate-tasks.ts'
import { specialGroups } from './special-groups.ts'

const DAY = 86_400

/** The options that a server is generated from; equal options give equal states. */
export interface GenerateOptions {
  readonly name: string
  readonly seed: number
  readonly profile: Profile
  /** Snapshots that a full audit can list. Below about forty, the special guests alone are made. */
  readonly snapshots: number
  /** Epoch seconds; the newest snapshots are from the hours before it. */
  readonly now: number
  readonly timezone?: string
  /** Whether some stores are offline or not mounted. */
  readonly unreadableStores?: boolean
}

const verifyRunsOf = (node: string, store: string, now: number): VerifyRun[] =>
  Array.from({ length: 6 }, (_, index) => {
    const startTime = now - (37 - index * 7) * DAY
    const jobId = store === 'tank' ? 'v-weekly' : 'v-second'
    const workerId = `${store}:${jobId}`
    return {
      upid: formatUpid({
        node,
        taskId: 0x100 + index,
        startTime,
        workerType: 'verificationjob',
        workerId,
        authId: 'root@pam',
      }),
      startTime,
    }
  })

const namespaceOf = (state: PbsState, store: string, ns: string): NamespaceState | undefined =>
  state.datastores.find(({ name }) => name === store)?.namespaces.find(({ path }) => path === ns)

const addTwins = (state: PbsState, random: Random, verifyRuns: VerifyRun[]): void => {
  const twin = bulkGroup(random, { number: 100, count: 5, now: state.now, verifyRuns, backupType: 'vm' })
  for (const [store, ns] of twinPlaces) {
    const series = twin.series === null ? null : { ...twin.series }
    namespaceOf(state, store, ns)?.groups.push({ ...twin, series, snapshots: [] })
  }
}

/** Shares of the present stores, as `[store, weight]`. */
const addBulk = (state: PbsState, random: Random, total: number, runsOf: (store: string) => VerifyRun[]): void => {
  const shares = state.datastores.flatMap(({ name }) => {
    const parts = Object.entries(snapshotShares[name] ?? {})
    return parts.length === 0 ? [] : [{ name, parts, weight: parts.reduce((sum, [, part]) => sum + part, 0) }]
  })
  const weights = shares.reduce((sum, { weight }) => sum + weight, 0)
  let left = total
  let firstNumber = 1000
  for (const [index, { name, parts, weight }] of shares.entries()) {
    const share = index === shares.length - 1 ? left : Math.min(left, Math.round((total * weight) / weights))
    const namespaces = parts.flatMap(([ns, part]) => {
      const namespace = namespaceOf(state, name, ns)
      return namespace === undefined ? [] : [{ namespace, weight: part }]
    })
    fillNamespaces(random, namespaces, { total: share, now: state.now, verifyRuns: runsOf(name), firstNumber })
    left -= share
    firstNumber += 1_000_000
  }
}

/** Generates a server with guests, jobs and stores of every kind. Deterministic. */
export const generateState = (options: GenerateOptions): PbsState => {
  const random = createRandom(options.seed)
  const state = emptyState(options)
  const { name: node, profile, release, now, timezone } = state
  const setting = { node, profile, release, now, timezone }
  state.datastores = generateStores({ ...setting, random, unreadable: options.unreadableStores ?? false })
  state.jobs = generateJobs({ ...setting, main: 'tank', second: 'vault' })
  state.remotes = [
    {
      name: 'pbs-dr',
      host: 'dr.example.net',
      authId: 'sync@pbs!pull',
      port: null,
      fingerprint: fingerprintOf(random),
      comment: 'the other site',
    },
  ]
  const runs = new Map(state.datastores.map(({ name }) => [name, verifyRunsOf(node, name, now)]))
  const runsOf = (store: string) => runs.get(store) ?? []
  namespaceOf(state, 'tank', '')?.groups.push(...specialGroups(now, runsOf('tank'), fingerprintOf(random)))
  addTwins(state, random, runsOf('tank'))
  addBulk(state, random, Math.max(0, options.snapshots - countSnapshots(state)), runsOf)
  for (const hidden of ['cold', 'usb1']) {
    const root = namespaceOf(state, hidden, '')
    if (root !== undefined)
      fillNamespaces(random, [{ namespace: root, weight: 1 }], { total: 12, now, verifyRuns: [], firstNumber: 800 })
  }
  state.tasks = generateTasks(state, [...runs.values()].flat())
  return state
}
