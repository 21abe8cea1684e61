import { datastoreSight } from '../permissions/privileges.ts'
import { unavailability } from '../state/availability.ts'
import type { DatastoreState, Json } from '../state/pbs-state.ts'
import { atLeast } from '../state/profile.ts'
import { storeKind } from './datastores.ts'
import { inCallOrder, optional, type Route, type RouteContext } from './route.ts'

const HISTORY_STEP = 1800

const numbersOf = ({ usage, gc }: DatastoreState): Readonly<Record<string, Json>> => ({
  total: usage.total,
  used: usage.used,
  avail: usage.avail,
  ...(usage.history.length === 0
    ? {}
    : { history: usage.history, 'history-start': usage.historyStart, 'history-delta': HISTORY_STEP }),
  ...optional('estimated-full-date', usage.estimatedFullDate),
  'gc-status': { ...gc.status },
})

const usageRow = (context: RouteContext, store: DatastoreState): Json | null => {
  const { state, authId } = context
  const sight = datastoreSight(state, authId, store.name)
  const bare = { store: store.name, ...storeKind(state, store) }
  // Releases before 3.1.3 send -1 for numbers they cannot read.
  const unreadable = atLeast(state, '3.1.3') ? {} : { total: -1, used: -1, avail: -1 }
  if (store.mountStatus === 'notmounted' && store.maintenance === null)
    return sight === 'none' && !atLeast(state, '3.3') ? null : { ...bare, ...unreadable }
  if (sight === 'none') return null
  if (sight === 'namespaces') return bare
  const error = unavailability(state, store)
  return error === null ? { ...bare, ...numbersOf(store) } : { ...bare, ...unreadable, error }
}

/** How full the datastores are. */
export const usageRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/status/datastore-usage',
    permission: 'authenticated',
    parameters: () => ({}),
    handle: (context) => ({
      data: inCallOrder(context, context.state.datastores)
        .map((store) => usageRow(context, store))
        .filter((row) => row !== null),
    }),
  },
]
