import { storeSchema } from '../http/parameters.ts'
import { datastorePath, datastoreSight } from '../permissions/privileges.ts'
import { unavailability } from '../state/availability.ts'
import type { DatastoreState, Json, PbsState } from '../state/pbs-state.ts'
import { atLeast } from '../state/profile.ts'
import { startTimeOf } from '../state/upid.ts'
import { openStore } from './open-store.ts'
import { inCallOrder, may, optional, type Route, textOf } from './route.ts'

/** Last-run fields exist only after a success; `duration` counts from the last success, also after later runs. */
const lastRunFields = ({ gc }: DatastoreState): Readonly<Record<string, Json>> => {
  const { upid } = gc.status
  if (upid === null || gc.lastRun === null || gc.lastRun.endtime === null) return {}
  return {
    'last-run-endtime': gc.lastRun.endtime,
    ...optional('last-run-state', gc.lastRun.state),
    duration: gc.lastRun.endtime - startTimeOf(upid),
  }
}

const gcRow = (state: PbsState, store: DatastoreState): Json =>
  atLeast(state, '3.2')
    ? {
        store: store.name,
        ...store.gc.status,
        ...optional('schedule', store.gcSchedule),
        ...optional('next-run', store.gcSchedule === null ? null : store.gc.nextRun),
        ...lastRunFields(store),
      }
    : { ...store.gc.status }

/** Garbage collection of one store, and of all. */
export const gcRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/datastore/{store}/gc',
    permission: (context) => may(context, datastorePath(textOf(context, 'store')), 'Datastore.Audit'),
    parameters: () => ({ store: storeSchema }),
    handle: (context) => ({ data: gcRow(context.state, openStore(context.state, textOf(context, 'store'))) }),
  },
  {
    method: 'GET',
    path: '/admin/gc',
    since: '3.2',
    permission: 'authenticated',
    parameters: () => ({ store: { ...storeSchema, optional: true } }),
    handle: (context) => {
      const { state, authId } = context
      const only = textOf(context, 'store')
      const stores = inCallOrder(context, state.datastores).filter(
        (store) =>
          unavailability(state, store) === null &&
          (only === '' ? datastoreSight(state, authId, store.name) !== 'none' : store.name === only),
      )
      return { data: stores.map((store) => gcRow(state, store)) }
    },
  },
  {
    method: 'GET',
    path: '/admin/gc/{store}',
    since: '3.2',
    permission: 'authenticated',
    parameters: () => ({ store: storeSchema }),
    handle: (context) => {
      const name = textOf(context, 'store')
      const store = context.state.datastores.find((candidate) => candidate.name === name)
      const listed = store !== undefined && unavailability(context.state, store) === null
      return { data: listed ? [gcRow(context.state, store)] : [] }
    },
  },
]
