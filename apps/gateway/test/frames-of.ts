import type { PbsDatastoreConfig } from '@netbox-pbs/pbs-client'
import type { Frame } from '@netbox-pbs/proxbox-client/contract'
import { Chunk, Effect, Stream } from 'effect'
import type { PbsReader } from '../src/fleet/pbs-reader.ts'
import { type PlaceFilter, snapshotsScopes } from '../src/scopes/datastore-walk.ts'
import type { Line } from '../src/scopes/open-scope.ts'
import { openSession, type ServerSession } from '../src/scopes/server-session.ts'
import { endpoint, fakeReader } from './fake-reader.ts'

/** The frames of scopes, read from a PBS in memory. */
export const framesOf = (
  scopes: (session: ServerSession) => Stream.Stream<Line>,
  parts: Partial<PbsReader>,
): Promise<ReadonlyArray<Frame>> =>
  openSession(endpoint, fakeReader(parts)).pipe(
    Effect.flatMap((session) => Stream.runCollect(scopes(session))),
    Effect.map((lines) => Chunk.toReadonlyArray(Chunk.map(lines, ({ frame }) => frame))),
    Effect.runPromise,
  )

/** The configuration of a datastore as PBS lists it. */
export const config = (name: string): PbsDatastoreConfig => ({
  name,
  path: `/mnt/${name}`,
  comment: null,
  'gc-schedule': null,
  'gc-on-unmount': null,
  'prune-schedule': null,
  'keep-last': null,
  'keep-hourly': null,
  'keep-daily': null,
  'keep-weekly': null,
  'keep-monthly': null,
  'keep-yearly': null,
  'verify-new': null,
  'notification-mode': null,
  tuning: null,
  'maintenance-mode': null,
  'backing-device': null,
  backend: null,
  unsafeIntegers: [],
})

/** A datastore as PBS lists it. */
export const store = (name: string, maintenance: string | null = null) => ({
  store: name,
  comment: null,
  maintenance,
  'mount-status': null,
  'backend-type': null,
  unsafeIntegers: [],
})

/** A server with one datastore. */
export const tank = { datastores: Effect.succeed([store('tank')]) }
/** The frames of what lies in it. */
export const listed = (scope_filter: PlaceFilter, parts: Partial<PbsReader>) =>
  framesOf((session) => snapshotsScopes(session, scope_filter), { ...tank, ...parts })

/** A frame in a word or two. */
export const brief = (frame: Frame): string => {
  switch (frame.frame) {
    case 'scope':
      return `scope ${frame.resource}${'namespace' in frame ? ` ${frame.namespace}` : ''}`
    case 'group':
      return `group ${frame.backup_type}/${frame.backup_id} ${frame.snapshots.length}`
    case 'complete':
      return `complete ${frame.count}${frame.left_out === undefined ? '' : ` left out ${frame.left_out}`}`
    case 'failed':
      return `failed ${frame.error.code}${frame.retryable ? ' retryable' : ''}`
    case 'warning':
      return `warning ${frame.code}`
    default:
      return frame.frame
  }
}
