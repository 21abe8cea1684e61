import { Effect } from 'effect'
import { PbsDatastoreConfig, PbsGcStatus } from './datastore-schemas.ts'
import { decodeItem } from './decode-item.ts'
import { failureOf } from './failure-of.ts'
import type { PbsError } from './pbs-error.ts'
import type { PbsTransport } from './pbs-transport.ts'
import { readData, readRows } from './read-list.ts'

/** The garbage collection of every datastore that can be opened, whatever the version. */
export const readGcStatuses = (transport: PbsTransport): Effect.Effect<ReadonlyArray<PbsGcStatus>, PbsError> =>
  readRows(transport, PbsGcStatus, '/admin/gc').pipe(
    Effect.catchIf(
      (error) => error.reason === 'unsupported',
      () => readStoreByStore(transport),
    ),
  )

/** PBS up to 3.1 has no list: the schedule stands in the configuration, the numbers are asked of each store. */
const readStoreByStore = (transport: PbsTransport) =>
  Effect.gen(function* () {
    const stores = yield* readRows(transport, PbsDatastoreConfig, '/config/datastore')
    const rows = yield* Effect.forEach(stores, (store) => readOne(transport, store.name, store['gc-schedule']))
    return rows.filter((row) => row !== null)
  })

const readOne = (transport: PbsTransport, store: string, schedule: string | null) => {
  const path = `/admin/datastore/${encodeURIComponent(store)}/gc`
  return readData(transport, path).pipe(
    Effect.flatMap((data) =>
      Effect.try({
        try: () => decodeItem(PbsGcStatus, { schedule, ...Object(data), store }),
        catch: (error) => failureOf(transport.connection, path, error),
      }),
    ),
    // As the list of newer versions does: a store that cannot be opened has no row.
    Effect.catchIf(
      (error) => error.reason === 'maintenance' || error.reason === 'not_mounted' || error.reason === 'not_found',
      () => Effect.succeed(null),
    ),
  )
}
