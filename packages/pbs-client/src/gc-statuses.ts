import { Effect } from 'effect'
import { urlPart } from './connection.ts'
import { PbsDatastoreConfig, PbsGcStatus } from './datastore-schemas.ts'
import { decodeItem } from './decode-item.ts'
import { failureOf } from './failure-of.ts'
import type { PbsError } from './pbs-error.ts'
import type { PbsTransport } from './pbs-transport.ts'
import { isReadable, type ListRow, readData, readRows } from './read-list.ts'

/**
 * The garbage collection of every datastore that can be opened, whatever the version. `/admin/gc` and the state of the
 * last run came together (3.2).
 *
 * @param reportsStates - Whether the release is one that tells how the last run ended.
 */
export const readGcStatuses = (
  transport: PbsTransport,
  reportsStates: Effect.Effect<boolean, PbsError>,
): Effect.Effect<ReadonlyArray<ListRow<PbsGcStatus>>, PbsError> =>
  readRows(transport, PbsGcStatus, '/admin/gc').pipe(
    Effect.catchIf(
      (error) => error.reason === 'unsupported',
      () => Effect.flatMap(reportsStates, (reports) => readStoreByStore(transport, reports)),
    ),
  )

/** PBS up to 3.1 has no list: the schedule stands in the configuration, the numbers are asked of each store. */
const readStoreByStore = (transport: PbsTransport, reportsStates: boolean) =>
  Effect.gen(function* () {
    const stores = yield* readRows(transport, PbsDatastoreConfig, '/config/datastore')
    const rows = yield* Effect.forEach(stores.filter(isReadable), (store) =>
      readOne(transport, store.name, { schedule: store['gc-schedule'], reportsStates }),
    )
    return rows.filter((row) => row !== null)
  })

const readOne = (
  transport: PbsTransport,
  store: string,
  { schedule, reportsStates }: { readonly schedule: string | null; readonly reportsStates: boolean },
) => {
  const path = `/admin/datastore/${urlPart(store)}/gc`
  return readData(transport, path).pipe(
    Effect.flatMap((data) =>
      Effect.try({
        try: () => {
          const row = decodeItem(PbsGcStatus, { schedule, ...Object(data), store })
          return reportsStates ? row : withStateOfLastSuccess(row)
        },
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

/** Before 3.2 a UPID is all there is: it names a run that succeeded, and says nothing of one under way. */
const withStateOfLastSuccess = (row: PbsGcStatus): PbsGcStatus =>
  row.upid === null ? row : { ...row, 'last-run-state': 'OK' }
