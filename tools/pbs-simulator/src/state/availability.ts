import type { DatastoreState, PbsState } from './pbs-state.ts'
import { atLeast } from './profile.ts'

const maintenanceWords: Readonly<Record<string, { readonly now: string; readonly before33: string }>> = {
  offline: { now: 'offline maintenance mode', before33: 'in offline maintenance mode' },
  delete: { now: 'datastore is being deleted', before33: 'datastore is being deleted' },
  unmount: { now: 'datastore is being unmounted', before33: 'datastore is being unmounted' },
  's3-refresh': { now: 'S3 refresh maintenance mode', before33: 'in S3 refresh maintenance mode' },
}

/** Why a datastore cannot be read now, in the words of the release; null when it can. */
export const unavailability = (state: PbsState, store: DatastoreState): string | null => {
  const mode = store.maintenance?.mode
  if (mode !== undefined && mode !== 'read-only') {
    const words = maintenanceWords[mode] ?? { now: `${mode} maintenance mode`, before33: `in ${mode} maintenance mode` }
    const modern = atLeast(state, '3.3')
    const message = store.maintenance?.message ?? ''
    const reason = words.now.startsWith('datastore is')
      ? words.now
      : `${modern ? words.now : words.before33}: ${message}`
    return `datastore '${store.name}' is ${modern ? 'unavailable: ' : ''}${reason}`
  }
  return store.mountStatus === 'notmounted' ? `datastore '${store.name}' is not mounted` : null
}
