import type { PbsDatastoreConfig, PbsDatastoreListItem } from '@netbox-pbs/pbs-client'
import { Effect } from 'effect'
import { datastorePath, type Permissions, privilegesOn } from '../permissions/permissions.ts'
import { type ReadableRows, readableRows } from './readable-rows.ts'
import { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'

/** The datastores of a server as its two lists have them. */
export interface Stores {
  /** Every datastore that the caller sees. */
  readonly listed: ReadableRows<PbsDatastoreListItem>
  /** Those of them on which it has Datastore.Audit. */
  readonly configs: ReadableRows<PbsDatastoreConfig>
}

/**
 * Reads `/admin/datastore` and `/config/datastore`, which PBS fills from one file: a datastore that only one of them has
 * came or went in between, or one list was cut. Then both are read once more, and after that the scope fails.
 */
export const readStores = (session: ServerSession): Effect.Effect<Stores, ScopeFailed> =>
  Effect.gen(function* () {
    const { endpoint, pbs } = session
    const permissions = yield* session.permissionsBefore
    const both = Effect.all(
      {
        listed: Effect.map(pbs.datastores, (rows) => readableRows('datastore', rows)),
        configs: Effect.map(pbs.datastoreConfigs, (rows) => readableRows('configuration of datastore', rows)),
      },
      { concurrency: 'unbounded' },
    )
    const first = yield* both
    if (agree(first, permissions)) return first
    const again = yield* both
    if (agree(again, permissions)) return again
    return yield* new ScopeFailed({
      code: 'protocol',
      message: `${endpoint.name} lists other datastores than its configuration has, twice; datastores may be coming or going, try again`,
      retryable: true,
    })
  })

/** Each list has what the other has, but for as many datastores as it has rows that cannot be understood. */
const agree = ({ listed, configs }: Stores, permissions: Permissions): boolean => {
  const names = new Set(listed.rows.map(({ store }) => store))
  const configured = new Set(configs.rows.map(({ name }) => name))
  const notListed = configs.rows.filter(({ name }) => !names.has(name))
  const notConfigured = listed.rows.filter(({ store }) => !configured.has(store) && audits(permissions, store))
  return notListed.length <= listed.unreadable.length && notConfigured.length <= configs.unreadable.length
}

const audits = (permissions: Permissions, store: string): boolean =>
  privilegesOn(permissions, datastorePath(store)).has('Datastore.Audit')
