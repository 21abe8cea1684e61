import { unavailability } from '../state/availability.ts'
import type { DatastoreState, NamespaceState, PbsState } from '../state/pbs-state.ts'
import { ApiError } from './route.ts'

/** Opens a store for reading, or fails with the 400 PBS gives for unknown, offline and unmounted ones. */
export const openStore = (state: PbsState, name: string): DatastoreState => {
  const store = state.datastores.find((candidate) => candidate.name === name)
  if (store === undefined) throw new ApiError(400, `no such datastore '${name}'`)
  const problem = unavailability(state, store)
  if (problem !== null) throw new ApiError(400, problem)
  return store
}

/** A namespace of an open store, or the 400 of a missing directory. */
export const openNamespace = (store: DatastoreState, path: string): NamespaceState => {
  const namespace = store.namespaces.find((candidate) => candidate.path === path)
  if (namespace === undefined) throw new ApiError(400, 'ENOENT: No such file or directory')
  return namespace
}

/** A maintenance mode as property string: `offline,message="disk at vault"`. */
export const maintenanceText = (maintenance: NonNullable<DatastoreState['maintenance']>): string =>
  maintenance.message === null
    ? maintenance.mode
    : `${maintenance.mode},message="${maintenance.message.replace(/["\\]/g, '\\$&')}"`
