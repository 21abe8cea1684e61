import {
  addNamespace,
  type DatastoreState,
  emptyGroup,
  emptyState,
  emptyStore,
  finishedSnapshot,
  type GroupState,
  type JobState,
  type NamespaceState,
  type PbsState,
  type Random,
  removeNamespace,
  removeStore,
  unfinishedSnapshot,
} from '@netbox-pbs/pbs-simulator'
import { beginning } from './world.ts'

const day = 86_400
const paths = ['a', 'a/b', 'c'] as const
const guests = ['100', '101', '102', '103', '104'] as const
const owners = ['backup@pbs', 'root@pam', 'backup@pbs!pve'] as const
const texts = [null, 'web', 'db', 'old'] as const
const reader = 'inventory@pbs!reader'

/** The servers of a small fleet. */
export function newFleet(random: Random): ReadonlyArray<PbsState> {
  const now = Math.floor(beginning / 1000)
  return Array.from({ length: random.pick([1, 1, 1, 2]) }, (_, nth) => {
    const state = emptyState({
      name: `pbs-${'abc'[nth] ?? nth}`,
      seed: random.seed(),
      profile: random.pick(['4.2', '3.4', '4.0', '2.4']),
      now,
      timezone: 'UTC',
    })
    for (let stores = 1 + random.upTo(2); stores > 0; stores -= 1) addStore(state, random)
    for (let jobs = random.upTo(3); jobs > 0; jobs -= 1) addJob(state, random)
    return state
  })
}

const timeOf = (state: PbsState, random: Random): number => state.now - random.upTo(20 * day)

function addStore(state: PbsState, random: Random): string {
  const name = ['tank', 'vault'].find((free) => state.datastores.every((store) => store.name !== free))
  if (name === undefined) return 'no store'
  const store = emptyStore(name, { usage: { ...emptyStore(name).usage, total: 1000, used: 100, avail: 900 } })
  state.datastores.push(store)
  for (const path of paths) if (random.chance(0.25)) addNamespace(state, name, path)
  for (let groups = random.upTo(5); groups > 0; groups -= 1) addGroup(state, store, random)
  return `store ${name} is added`
}

function addGroup(state: PbsState, store: DatastoreState, random: Random): string {
  const space = random.pick(store.namespaces)
  const backupId = random.pick(guests)
  const backupType = random.pick(['vm', 'ct'])
  if (space.groups.some((group) => group.backupId === backupId && group.backupType === backupType)) return 'no group'
  const group = emptyGroup(backupType, backupId, { owner: random.pick(owners), notes: random.pick(texts) })
  for (let count = 1 + random.upTo(4); count > 0; count -= 1) addSnapshot(state, group, random)
  space.groups.push(group)
  return `group ${backupType}/${backupId} is added to ${store.name}/${space.path}`
}

function addSnapshot(state: PbsState, group: GroupState, random: Random): string {
  const time = timeOf(state, random)
  if (group.snapshots.some(({ backupTime }) => backupTime === time)) return 'no snapshot'
  group.snapshots.push(
    random.chance(0.1) ? unfinishedSnapshot(time) : finishedSnapshot(time, { notes: random.pick(texts) }),
  )
  return `snapshot ${time} is added to ${group.backupType}/${group.backupId}`
}

function addJob(state: PbsState, random: Random): string {
  const id = random.pick(['v-1', 'v-2', 'v-3'])
  if (state.jobs.verify.some((job) => job.id === id)) return 'no job'
  const store = state.datastores[0]?.name ?? 'tank'
  const job: JobState = {
    id,
    store,
    ns: null,
    schedule: 'daily',
    comment: null,
    options: {},
    lastRun: null,
    nextRun: null,
  }
  state.jobs.verify.push(job)
  return `verify job ${id} is added`
}

interface Place {
  readonly store: DatastoreState
  readonly space: NamespaceState
  readonly group: GroupState
}

const placesOf = (state: PbsState): ReadonlyArray<Place> =>
  state.datastores.flatMap((store) =>
    store.namespaces.flatMap((space) => space.groups.map((group) => ({ store, space, group }))),
  )

type Change = (state: PbsState, random: Random, place: Place) => string

const at = ({ store, space, group }: Place) => `${store.name}/${space.path} ${group.backupType}/${group.backupId}`

/** Changes of a server that has at least one group. */
const ofGroups: ReadonlyArray<Change> = [
  (state, random, { group }) => addSnapshot(state, group, random),
  (state, random, { group }) => addSnapshot(state, group, random),
  (_, random, place) => {
    const keep = random.upTo(place.group.snapshots.length + 1)
    place.group.snapshots.splice(0, place.group.snapshots.length - keep)
    return `${at(place)} is pruned to ${keep}`
  },
  (_, random, place) => {
    const snapshot = place.group.snapshots[random.upTo(place.group.snapshots.length)]
    if (snapshot === undefined) return 'no snapshot'
    snapshot.verification = { upid: `UPID:pbs:1:2:3:4:verify:x:root@pam:`, state: random.pick(['ok', 'failed']) }
    return `${at(place)} ${snapshot.backupTime} is verified`
  },
  (_, random, place) => {
    const snapshot = place.group.snapshots[random.upTo(place.group.snapshots.length)]
    if (snapshot === undefined) return 'no snapshot'
    snapshot.notes = random.pick(texts)
    snapshot.protected = random.chance(0.5)
    return `${at(place)} ${snapshot.backupTime} is noted and protected`
  },
  (_, random, place) => {
    place.group.owner = random.pick(owners)
    place.group.notes = random.pick(texts)
    return `${at(place)} has another owner or notes`
  },
  (_, __, place) => {
    place.space.groups = place.space.groups.filter((group) => group !== place.group)
    return `${at(place)} is removed`
  },
  (state, random, place) => {
    const store = random.pick(state.datastores)
    const space = random.pick(store.namespaces)
    const isTaken = space.groups.some(
      (group) => group.backupId === place.group.backupId && group.backupType === place.group.backupType,
    )
    if (isTaken) return 'no move'
    place.space.groups = place.space.groups.filter((group) => group !== place.group)
    space.groups.push(place.group)
    return `${at(place)} moves to ${store.name}/${space.path}`
  },
  (_, random, place) => {
    place.group.ownerReadable = random.chance(0.6)
    return `the owner of ${at(place)} ${place.group.ownerReadable ? 'can' : 'cannot'} be read`
  },
]

/** Changes of a server with at least one store. */
const ofStores: ReadonlyArray<(state: PbsState, random: Random, store: DatastoreState) => string> = [
  (state, random, store) => addGroup(state, store, random),
  (state, random, store) => addGroup(state, store, random),
  (state, random, store) => {
    const path = random.pick(paths)
    addNamespace(state, store.name, path)
    return `namespace ${path} is added to ${store.name}`
  },
  (state, random, store) => {
    const space = random.pick(store.namespaces)
    if (space.path === '') return 'no namespace'
    removeNamespace(state, store.name, space.path)
    return `namespace ${space.path} of ${store.name} is destroyed`
  },
  (_, random, store) => {
    store.maintenance =
      store.maintenance === null
        ? { mode: random.pick(['offline', 'read-only']), message: random.pick([null, 'disk']) }
        : null
    return `${store.name} is ${store.maintenance === null ? 'back' : store.maintenance.mode}`
  },
  (_, random, store) => {
    store.usage.used = random.upTo(1000)
    store.usage.avail = 1000 - store.usage.used
    store.comment = random.pick(texts)
    return `the usage and comment of ${store.name} change`
  },
]

const ofServers: ReadonlyArray<(state: PbsState, random: Random) => string> = [
  addStore,
  (state, random) => {
    const store = state.datastores[random.upTo(state.datastores.length)]
    if (store === undefined || state.datastores.length === 1) return 'no store'
    removeStore(state, store.name)
    return `store ${store.name} is removed`
  },
  addJob,
  (state, random) => {
    const job = state.jobs.verify[random.upTo(state.jobs.verify.length)]
    if (job === undefined) return 'no job'
    if (random.chance(0.4)) {
      state.jobs.verify = state.jobs.verify.filter((one) => one !== job)
      return `verify job ${job.id} is removed`
    }
    job.comment = random.pick(texts)
    job.schedule = random.pick(['daily', 'hourly', null])
    return `verify job ${job.id} changes`
  },
]

/** Makes one change of the fleet, and says which. */
export function evolveOnce(states: ReadonlyArray<PbsState>, random: Random): string {
  const state = random.pick(states)
  const places = placesOf(state)
  const kind = random.upTo(10)
  const done = () => {
    if (kind < 6 && places.length > 0) return random.pick(ofGroups)(state, random, random.pick(places))
    if (kind < 9 && state.datastores.length > 0)
      return random.pick(ofStores)(state, random, random.pick(state.datastores))
    return random.pick(ofServers)(state, random)
  }
  return `${state.name}: ${done()}`
}

/** What the reader's token may see. */
export type Sight = 'everything' | 'one store' | 'nothing' | 'no login'

/** Changes what the token may see. */
export function setSight(state: PbsState, sight: Sight): void {
  for (const account of state.accounts) if (account.authId === reader) account.enabled = sight !== 'no login'
  const others = state.acl.filter(
    ({ authId, path }) => authId !== reader || (path !== '/' && !path.startsWith('/datastore/')),
  )
  const grant = (path: string, role: string) => ({ path, authId: reader, role, propagate: true })
  const everything = ['Audit', 'RemoteAudit', 'TapeAudit'].map((role) => grant('/', role))
  state.acl = [
    ...others,
    ...(sight === 'everything' || sight === 'no login' ? everything : []),
    ...(sight === 'one store' ? [grant(`/datastore/${state.datastores[0]?.name ?? 'tank'}`, 'DatastoreAudit')] : []),
  ]
}

/** The stores that the token may see; null: all of the server. */
export function storesSeen({ accounts, acl }: PbsState): ReadonlySet<string> | null {
  if (accounts.some(({ authId, enabled }) => authId === reader && !enabled)) return new Set()
  const paths = acl.filter(({ authId }) => authId === reader).map(({ path }) => path)
  return paths.includes('/') ? null : new Set(paths.map((path) => path.replace('/datastore/', '')))
}

/** Ends everything that keeps main from becoming equal to a server. */
export function heal(state: PbsState): void {
  setSight(state, 'everything')
}
