import { namespaceSchema, storeSchema } from '../http/parameters.ts'
import { datastorePath, datastoreSight, seesNamespace } from '../permissions/privileges.ts'
import type { DatastoreState, Json, PbsState } from '../state/pbs-state.ts'
import { atLeast } from '../state/profile.ts'
import { countOf } from '../state/series.ts'
import { maintenanceText, openStore } from './open-store.ts'
import { ApiError, configDigest, inCallOrder, may, optional, type Route, type RouteContext, textOf } from './route.ts'

/** Fields of a store's configuration that the release knows. */
export const storeKind = (state: PbsState, store: DatastoreState): Readonly<Record<string, Json>> => ({
  ...(atLeast(state, '3.3') ? { 'mount-status': store.mountStatus } : {}),
  ...(atLeast(state, '4.2') ? { 'backend-type': store.backendType } : {}),
})

const listRow = (state: PbsState, store: DatastoreState, sight: 'full' | 'namespaces'): Json => ({
  store: store.name,
  comment: sight === 'full' ? store.comment : null,
  ...(store.maintenance === null ? {} : { maintenance: maintenanceText(store.maintenance) }),
  ...storeKind(state, store),
})

const configRow = (store: DatastoreState): Readonly<Record<string, Json>> => ({
  name: store.name,
  path: store.path,
  ...optional('comment', store.comment),
  ...optional('gc-schedule', store.gcSchedule),
  ...(store.maintenance === null ? {} : { 'maintenance-mode': maintenanceText(store.maintenance) }),
  ...store.config,
})

type Tally = { groups: number; snapshots: number }

/** Groups and snapshots per backup type over the namespaces the caller may see; empty groups do not count. */
const countsOf = (context: RouteContext, store: DatastoreState): Json => {
  const counts: Record<string, Tally | null> = { ct: null, host: null, vm: null, other: null }
  for (const namespace of store.namespaces) {
    if (!may(context, datastorePath(store.name, namespace.path), 'Datastore.Audit', 'Datastore.Backup')) continue
    for (const group of namespace.groups) {
      const snapshots = countOf(group)
      if (snapshots === 0 || !group.ownerReadable) continue
      const type = Object.hasOwn(counts, group.backupType) ? group.backupType : 'other'
      const tally = counts[type] ?? { groups: 0, snapshots: 0 }
      counts[type] = { groups: tally.groups + 1, snapshots: tally.snapshots + snapshots }
    }
  }
  return counts
}

const statusOf = (context: RouteContext): Json => {
  const { state, authId, parameters } = context
  const name = textOf(context, 'store')
  const full = may(context, datastorePath(name), 'Datastore.Audit', 'Datastore.Backup')
  const partly =
    may(context, datastorePath(name), 'Datastore.Read') || datastoreSight(state, authId, name) === 'namespaces'
  if (!full && !partly) throw new ApiError(403, 'permission check failed')
  const store = openStore(state, name)
  const { total, used, avail } = full ? store.usage : { total: 0, used: 0, avail: 0 }
  return {
    total,
    used,
    avail,
    ...(parameters.get('verbose') === true
      ? { counts: countsOf(context, store), ...(full ? { 'gc-status': { ...store.gc.status } } : {}) }
      : {}),
    ...(atLeast(state, '4.2')
      ? { 'backend-type': store.backendType, ...optional('s3-statistics', store.s3Statistics) }
      : {}),
  }
}

const namespaceRows = (context: RouteContext): Json => {
  const { state, authId } = context
  const store = openStore(state, textOf(context, 'store'))
  const parent = textOf(context, 'parent')
  const depth = context.parameters.get('max-depth')
  const maxDepth = typeof depth === 'number' ? depth : 7
  const base = parent === '' ? 0 : parent.split('/').length
  const children = store.namespaces
    .map(({ path }) => path)
    .filter((path) => path !== parent && (parent === '' || path.startsWith(`${parent}/`)))
    .filter((path) => path.split('/').length - base <= maxDepth)
    // Pre-order: a parent before its children, and a subtree in one piece.
    .sort((left, right) => (left.replaceAll('/', '\u0000') < right.replaceAll('/', '\u0000') ? -1 : 1))
  const visible = [parent, ...children].filter((path) => seesNamespace(state, authId, store.name, path))
  if (visible.length === 0) throw new ApiError(403, 'permission check failed')
  return visible.map((ns) => ({ ns }))
}

/** Datastores: the list, their configuration, one store's numbers, its namespaces. */
export const datastoreRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/datastore',
    permission: 'authenticated',
    parameters: () => ({}),
    handle: (context) => {
      const rows: Json[] = []
      for (const store of inCallOrder(context, context.state.datastores)) {
        const sight = datastoreSight(context.state, context.authId, store.name)
        if (sight !== 'none') rows.push(listRow(context.state, store, sight))
      }
      return { data: rows }
    },
  },
  {
    method: 'GET',
    path: '/config/datastore',
    permission: 'authenticated',
    parameters: () => ({}),
    handle: (context) => ({
      data: inCallOrder(context, context.state.datastores)
        .filter(({ name }) => may(context, datastorePath(name), 'Datastore.Audit'))
        .map(configRow),
      siblings: { digest: configDigest(context.state.datastores.map(configRow)) },
    }),
  },
  {
    method: 'GET',
    path: '/config/datastore/{name}',
    permission: (context) => may(context, datastorePath(textOf(context, 'name')), 'Datastore.Audit'),
    parameters: () => ({ name: storeSchema }),
    handle: (context) => {
      const name = textOf(context, 'name')
      const store = context.state.datastores.find((candidate) => candidate.name === name)
      if (store === undefined) throw new ApiError(400, `no such datastore '${name}'`)
      return { data: configRow(store), siblings: { digest: configDigest(context.state.datastores.map(configRow)) } }
    },
  },
  {
    method: 'GET',
    path: '/admin/datastore/{store}/status',
    permission: 'authenticated',
    parameters: () => ({ store: storeSchema, verbose: { type: 'boolean', optional: true } }),
    handle: (context) => ({ data: statusOf(context) }),
  },
  {
    method: 'GET',
    path: '/admin/datastore/{store}/active-operations',
    permission: (context) => may(context, datastorePath(textOf(context, 'store')), 'Datastore.Audit'),
    parameters: () => ({ store: storeSchema }),
    handle: (context) => {
      const name = textOf(context, 'store')
      const store = context.state.datastores.find((candidate) => candidate.name === name)
      return { data: store === undefined ? { read: 0, write: 0 } : { ...store.activeOperations } }
    },
  },
  {
    method: 'GET',
    path: '/admin/datastore/{store}/namespace',
    since: '2.2',
    permission: 'authenticated',
    parameters: () => ({
      store: storeSchema,
      parent: namespaceSchema,
      'max-depth': { type: 'integer', optional: true, minimum: 0, maximum: 7 },
    }),
    handle: (context) => {
      const store = textOf(context, 'store')
      if (
        datastoreSight(context.state, context.authId, store) === 'none' &&
        !may(context, datastorePath(store), 'Datastore.Read', 'Datastore.Modify')
      )
        throw new ApiError(403, 'permission check failed')
      return { data: namespaceRows(context) }
    },
  },
]
