import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import type { PbsGroup, PbsSnapshot } from '@netbox-pbs/pbs-client'
import { Effect, Stream } from 'effect'
import type { PbsReader } from '../src/fleet/pbs-reader.ts'
import { ScopeFailed } from '../src/scopes/scope-failed.ts'

/** An endpoint as the store has it. */
export const endpoint: StoredEndpoint = {
  id: 1,
  name: 'pbs-a',
  host: '127.0.0.1',
  port: 8007,
  token_id: 'netbox@pbs!inventory',
  fingerprint: null,
  verify_ssl: false,
  enabled: true,
  timeout_seconds: 5,
}

/** A read that fails. */
export const failing = (code: ScopeFailed['code']) =>
  Effect.fail(new ScopeFailed({ code, message: `it is ${code}`, retryable: false }))

/** The next answer at each read, then the last one at every further read. */
export const inTurn = <A>(...answers: ReadonlyArray<A>): Effect.Effect<A> => {
  let reads = 0
  return Effect.sync(() => {
    const answer = answers[Math.min(reads, answers.length - 1)]
    reads += 1
    if (answer === undefined) throw new Error('no answer was given')
    return answer
  })
}

/** A group as PBS lists it. */
export const group = (type: string, id: string, count: number): PbsGroup => ({
  'backup-type': type,
  'backup-id': id,
  'backup-count': count,
  'last-backup': count,
  files: [],
  owner: 'backup@pbs',
  comment: null,
  unsafeIntegers: [],
})

/** The snapshots of a group, at the seconds 1 to `count`. */
export const snapshots = (type: string, id: string, count: number): ReadonlyArray<PbsSnapshot> =>
  Array.from({ length: count }, (_, index) => ({
    'backup-type': type,
    'backup-id': id,
    'backup-time': index + 1,
    files: [],
    size: null,
    owner: 'backup@pbs',
    comment: null,
    protected: false,
    verification: null,
    fingerprint: null,
    unsafeIntegers: [],
  }))

/** A PBS in memory: empty and with all privileges unless told. */
export const fakeReader = (parts: Partial<PbsReader> = {}): PbsReader => {
  const reader: PbsReader = {
    requestsSent: () => 0,
    version: Effect.succeed({ version: '4.2', release: '3', repoid: null, unsafeIntegers: [], latencyMs: 7 }),
    time: Effect.succeed({ timezone: 'UTC', time: 0, localtime: 0, unsafeIntegers: [], offsetSeconds: 0 }),
    permissions: Effect.succeed({
      '/': { 'Sys.Audit': true, 'Datastore.Audit': true, 'Remote.Audit': true, 'Tape.Audit': true },
    }),
    datastores: Effect.succeed([]),
    datastoreConfigs: Effect.succeed([]),
    datastoreUsages: Effect.succeed([]),
    datastoreStatus: () => Effect.succeed({ total: 0, used: 0, avail: 0, 'backend-type': null, unsafeIntegers: [] }),
    gcStates: Effect.succeed([]),
    namespaces: () => Effect.succeed(['']),
    groups: () => Effect.succeed([]),
    snapshots: () => Effect.succeed([]),
    tasks: () => Stream.empty,
    jobs: () => Effect.succeed([]),
    snapshotsAsTheyCome: (datastore, namespace) =>
      Stream.fromIterableEffect(Effect.suspend(() => reader.snapshots(datastore, namespace, undefined, 0))),
    ...parts,
  }
  return reader
}
