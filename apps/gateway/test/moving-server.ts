import {
  addNamespace,
  countOf,
  emptyStore,
  findGroup,
  finishedSnapshot,
  type GroupAddress,
  type PbsState,
  type Simulator,
  snapshotsOf,
} from '@netbox-pbs/pbs-simulator'
import type { Frame } from '@netbox-pbs/proxbox-client/contract'

/** A number from 0 up to, and without, the limit. */
export type Dice = (limit: number) => number

/** Reproducible dice (xorshift). */
export const diceOf = (seed: number): Dice => {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % limit
  }
}

const one = <T>(dice: Dice, items: ReadonlyArray<T>): T | undefined => items[dice(items.length)]

/** Every row that a server has, readable just now or not: the title of its scope, then the row. */
export function rowsOf(state: PbsState): ReadonlySet<string> {
  const rows = new Set<string>()
  for (const store of state.datastores) {
    rows.add(`datastores > ${store.name}`)
    rows.add(`jobs gc > ${store.name}`)
    for (const { path, groups } of store.namespaces) {
      rows.add(`namespaces ${store.name} > ${path}`)
      for (const group of groups.filter(({ ownerReadable }) => ownerReadable))
        for (const { backupTime } of snapshotsOf(group))
          rows.add(`snapshots ${store.name}/${path} > ${group.backupType}/${group.backupId}/${backupTime}`)
    }
  }
  for (const type of ['verify', 'prune', 'sync', 'tape'] as const)
    for (const { id } of state.jobs[type]) rows.add(`jobs ${type} > ${id}`)
  return rows
}

/** The scopes that frames complete, and the rows they list in them, written as `rowsOf` does. */
export function completed(frames: ReadonlyArray<Frame>): {
  readonly scopes: ReadonlySet<string>
  readonly rows: ReadonlySet<string>
} {
  const scopes = new Set<string>()
  const rows = new Set<string>()
  let open: Array<string> = []
  for (const frame of frames) {
    if (frame.frame === 'scope') open = []
    if (frame.frame === 'datastore') open.push(frame.name)
    if (frame.frame === 'namespace') open.push(frame.path)
    if (frame.frame === 'job') open.push(frame.job_id)
    if (frame.frame === 'group')
      for (const { backup_time } of frame.snapshots)
        open.push(`${frame.backup_type}/${frame.backup_id}/${Date.parse(backup_time) / 1000}`)
    // Where rows were left out, that a row is not listed says nothing.
    if (frame.frame !== 'complete' || frame.left_out !== undefined) continue
    const scope = titleOf(frame)
    scopes.add(scope)
    for (const row of open) rows.add(`${scope} > ${row}`)
  }
  return { scopes, rows }
}

const titleOf = (frame: Extract<Frame, { readonly frame: 'complete' }>): string => {
  switch (frame.resource) {
    case 'namespaces':
      return `namespaces ${frame.datastore}`
    case 'snapshots':
      return `snapshots ${frame.datastore}/${frame.namespace}`
    case 'jobs':
      return `jobs ${frame.job_type}`
    default:
      return frame.resource
  }
}

type Change = (pbs: Simulator, dice: Dice) => void

let clock = 1_700_000_000

/** A store and one of its namespaces, by the dice. */
const place = ({ state }: Simulator, dice: Dice) => {
  const store = one(dice, state.datastores)
  const namespace = store === undefined ? undefined : one(dice, store.namespaces)
  return store === undefined || namespace === undefined ? null : { store, namespace }
}

const onGroup =
  (act: (pbs: Simulator, at: GroupAddress, dice: Dice) => void): Change =>
  (pbs, dice) => {
    const found = place(pbs, dice)
    const group = found === null ? undefined : one(dice, found.namespace.groups)
    if (found === null || group === undefined) return
    const { backupType, backupId } = group
    act(pbs, { store: found.store.name, ns: found.namespace.path, backupType, backupId }, dice)
  }

const inNamespace =
  (act: (pbs: Simulator, at: { readonly store: string; readonly ns: string }, dice: Dice) => void): Change =>
  (pbs, dice) => {
    const found = place(pbs, dice)
    if (found !== null) act(pbs, { store: found.store.name, ns: found.namespace.path }, dice)
  }

/** Changes of a server while it is listed. */
const changes: ReadonlyArray<Change> = [
  inNamespace((pbs, at, dice) =>
    pbs.addSnapshot({ ...at, backupType: 'vm', backupId: String(200 + dice(9)) }, finishedSnapshot(clock++)),
  ),
  onGroup((pbs, at) => pbs.addSnapshot(at, finishedSnapshot(clock++))),
  onGroup((pbs, at, dice) => void pbs.pruneGroup(at, dice(4))),
  onGroup((pbs, at) => pbs.removeGroup(at)),
  // Pruned and backed up at once: as many as before, not the same.
  onGroup((pbs, at) => {
    pbs.pruneGroup(at, 1)
    for (let backup = 0; backup < 3; backup += 1) pbs.addSnapshot(at, finishedSnapshot(clock++))
  }),
  // Removed and created again under its old name.
  onGroup((pbs, at) => {
    pbs.removeGroup(at)
    pbs.addSnapshot(at, finishedSnapshot(clock++))
  }),
  // Moved to another namespace.
  onGroup((pbs, at, dice) => {
    const store = pbs.state.datastores.find(({ name }) => name === at.store)
    const from = store?.namespaces.find(({ path }) => path === at.ns)
    const group = from?.groups.find((each) => each.backupType === at.backupType && each.backupId === at.backupId)
    const to = store === undefined ? undefined : one(dice, store.namespaces)
    if (from === undefined || group === undefined || to === undefined || to.groups.includes(group)) return
    from.groups = from.groups.filter((each) => each !== group)
    to.groups = [...to.groups.filter((each) => each.backupId !== group.backupId), group]
  }),
  inNamespace(({ state }, { store }, dice) => void addNamespace(state, store, `n${dice(4)}/deep${dice(2)}`)),
  inNamespace((pbs, { store, ns }) => (ns === '' ? undefined : pbs.removeNamespace(store, ns))),
  inNamespace((pbs, { store }, dice) => pbs.setMounted(store, dice(2) === 0)),
  inNamespace((pbs, { store }, dice) => pbs.setMaintenance(store, dice(2) === 0 ? 'offline' : null)),
  ({ state }, dice) => {
    const name = `store-${dice(3)}`
    if (state.datastores.every((store) => store.name !== name)) state.datastores.push(emptyStore(name))
    else state.datastores = state.datastores.filter((store) => store.name !== name)
  },
  ({ state }, dice) => {
    const [first, ...rest] = state.jobs.verify
    if (first === undefined) return
    state.jobs.verify = dice(2) === 0 ? [...rest, { ...first, id: `v-${clock++}` }] : [...rest, first]
  },
]

/** The oldest backup of a group is pruned: the rest of the group exists all the time. */
export const pruneOldest: Change = onGroup((pbs, at) => {
  const count = countOf(findGroup(pbs.state, at))
  if (count > 1) pbs.pruneGroup(at, count - 1)
})

/** Something happens to the server, by the dice. */
export const anyChange = (pbs: Simulator, dice: Dice): void => one(dice, changes)?.(pbs, dice)

/** Where in a walk something may happen: as such a request arrives. */
export const timestamps = [
  /\/groups$/,
  /\/snapshots$/,
  /\/namespace$/,
  /^\/admin\/datastore$/,
  /^\/config\/datastore$/,
  /^\/access\/permissions$/,
  /^\/admin\/verify$/,
] as const
