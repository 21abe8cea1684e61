import type { AclEntry, DatastoreState, GroupState, NamespaceState, PbsState, SnapshotState } from './pbs-state.ts'
import { countOf, seriesTime, snapshotsOf } from './series.ts'

/** Names a group. */
export interface GroupAddress {
  readonly store: string
  readonly ns: string
  readonly backupType: string
  readonly backupId: string
}

const missing = (what: string): never => {
  throw new RangeError(`the simulated server has no ${what}`)
}

/** A datastore by name; throws when there is none. */
export const findStore = (state: PbsState, name: string): DatastoreState =>
  state.datastores.find((store) => store.name === name) ?? missing(`datastore '${name}'`)

/** A namespace by store and path; throws when there is none. */
export const findNamespace = (state: PbsState, store: string, ns: string): NamespaceState =>
  findStore(state, store).namespaces.find(({ path }) => path === ns) ?? missing(`namespace '${ns}' in '${store}'`)

/** A group by its address; throws when there is none. */
export const findGroup = (state: PbsState, at: GroupAddress): GroupState =>
  findNamespace(state, at.store, at.ns).groups.find(
    ({ backupType, backupId }) => backupType === at.backupType && backupId === at.backupId,
  ) ?? missing(`group ${at.backupType}/${at.backupId} in '${at.store}', namespace '${at.ns}'`)

/** Removes a datastore and its contents; jobs that name it stay, as on a real server. */
export const removeStore = (state: PbsState, name: string): void => {
  findStore(state, name)
  state.datastores = state.datastores.filter((store) => store.name !== name)
}

/** Removes a namespace with all below it. The root cannot be removed. */
export const removeNamespace = (state: PbsState, store: string, ns: string): void => {
  if (ns === '') throw new RangeError('the root namespace cannot be removed')
  findNamespace(state, store, ns)
  const holder = findStore(state, store)
  holder.namespaces = holder.namespaces.filter(({ path }) => path !== ns && !path.startsWith(`${ns}/`))
}

/** Adds a namespace, and the missing ones above it. */
export const addNamespace = (state: PbsState, store: string, ns: string): NamespaceState => {
  const holder = findStore(state, store)
  const parts = ns.split('/')
  for (const index of parts.keys()) {
    const path = parts.slice(0, index + 1).join('/')
    if (!holder.namespaces.some((namespace) => namespace.path === path)) holder.namespaces.push({ path, groups: [] })
  }
  return findNamespace(state, store, ns)
}

/** Adds a snapshot, and its group (owned by `owner`) when it is new. */
export const addSnapshot = (
  state: PbsState,
  at: GroupAddress,
  snapshot: SnapshotState,
  owner = 'backup@pbs!pve',
): GroupState => {
  const { groups } = findNamespace(state, at.store, at.ns)
  const { backupType, backupId } = at
  let group = groups.find((candidate) => candidate.backupType === backupType && candidate.backupId === backupId)
  if (group === undefined) {
    group = { backupType, backupId, owner, ownerReadable: true, notes: null, series: null, snapshots: [] }
    groups.push(group)
  }
  group.snapshots.push(snapshot)
  return group
}

/** Removes a group. */
export const removeGroup = (state: PbsState, at: GroupAddress): void => {
  const group = findGroup(state, at)
  const namespace = findNamespace(state, at.store, at.ns)
  namespace.groups = namespace.groups.filter((candidate) => candidate !== group)
}

/**
 * Moves a group to another namespace or datastore; with `times` only the snapshots of these times,
 * as in the middle of a move. A group of the same type and id that is there gets the snapshots.
 */
export const moveGroup = (
  state: PbsState,
  at: GroupAddress,
  to: Pick<GroupAddress, 'store' | 'ns'>,
  times: ReadonlyArray<number> | null = null,
): void => {
  const group = findGroup(state, at)
  const target = findNamespace(state, to.store, to.ns)
  const moves = ({ backupTime }: SnapshotState): boolean => times === null || times.includes(backupTime)
  const all = [...snapshotsOf(group)]
  const staying = all.filter((snapshot) => !moves(snapshot))
  const existing = target.groups.find(
    ({ backupType, backupId }) => backupType === at.backupType && backupId === at.backupId,
  )
  if (existing === undefined) target.groups.push({ ...group, series: null, snapshots: all.filter(moves) })
  else existing.snapshots.push(...all.filter(moves))
  if (staying.length === 0) removeGroup(state, at)
  else Object.assign(group, { series: null, snapshots: staying })
}

const oldestExplicit = ({ snapshots }: GroupState): SnapshotState | undefined =>
  snapshots.reduce<SnapshotState | undefined>(
    (oldest, snapshot) => (oldest === undefined || snapshot.backupTime < oldest.backupTime ? snapshot : oldest),
    undefined,
  )

/** Keeps the newest `keep` snapshots of a group, protected ones or not; says how many went. The group stays. */
export const pruneGroup = (group: GroupState, keep: number): number => {
  const surplus = Math.max(0, countOf(group) - keep)
  for (let removed = 0; removed < surplus; removed += 1) {
    const { series } = group
    const explicit = oldestExplicit(group)
    const inSeries = series !== null && series.from < series.to
    if (inSeries && (explicit === undefined || seriesTime(series, series.from) <= explicit.backupTime)) series.from += 1
    else group.snapshots = group.snapshots.filter((snapshot) => snapshot !== explicit)
  }
  return surplus
}

/** Sets or ends a maintenance mode. */
export const setMaintenance = (
  state: PbsState,
  store: string,
  mode: string | null,
  message: string | null = null,
): void => {
  findStore(state, store).maintenance = mode === null ? null : { mode, message }
}

/** Plugs a removable datastore in, or out. */
export const setMounted = (state: PbsState, store: string, mounted: boolean): void => {
  findStore(state, store).mountStatus = mounted ? 'mounted' : 'notmounted'
}

/** Adds an entry to the access control list. */
export const grant = (state: PbsState, entry: AclEntry): void => {
  state.acl.push({ ...entry })
}

/** Removes the entries of a user or token on a path; throws when there is none. */
export const revoke = (state: PbsState, path: string, authId: string): void => {
  const kept = state.acl.filter((entry) => entry.path !== path || entry.authId !== authId)
  if (kept.length === state.acl.length) missing(`ACL entry of '${authId}' on '${path}'`)
  state.acl = kept
}
