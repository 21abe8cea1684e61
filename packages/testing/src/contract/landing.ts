import {
  type Change,
  type Facts,
  type FieldValue,
  type HoldReason,
  type ModelName,
  type NaturalKey,
  naturalKey,
  type Scope,
  type Sightings,
} from '@netbox-pbs/core'
import { ChangeSets, Inventory, type Landing, type RetainedGroups } from '@netbox-pbs/core/ports'
import { Chunk, Effect, Option, Stream } from 'effect'

/** Facts of a server with nothing special about it. */
export const serverFacts = (name: string, more: Partial<Facts<'server'>> = {}): Facts<'server'> => ({
  name,
  host: `${name}.example.com`,
  port: 8007,
  token_id: 'sync@pbs!main',
  fingerprint: '',
  verify_ssl: true,
  timeout_seconds: 30,
  version: '4.0.1',
  timezone: 'UTC',
  endpoint_id: 1,
  endpoint_state: 'connected',
  ...more,
})

/** Facts of a datastore. */
export const datastoreFacts = (
  server: number,
  name: string,
  more: Partial<Facts<'datastore'>> = {},
): Facts<'datastore'> => ({
  server,
  name,
  path: `/mnt/${name}`,
  comment: '',
  maintenance: '',
  mount_status: '',
  backend_type: '',
  ...more,
})

/** Facts of a verify job of `tank`. */
export const jobFacts = (server: number, job_id: string, more: Partial<Facts<'job'>> = {}): Facts<'job'> => ({
  server,
  job_type: 'verify',
  job_id,
  store: 'tank',
  namespace: '',
  remote: '',
  schedule: 'daily',
  comment: '',
  disable: false,
  options: {},
  ...more,
})

/** Facts of a group of `vm` backups in the root namespace of `tank`. */
export const groupFacts = (server: number, backup_id: string, more: Partial<Facts<'group'>> = {}): Facts<'group'> => ({
  server,
  datastore_name: 'tank',
  namespace: '',
  backup_type: 'vm',
  backup_id,
  owner: 'root@pam',
  comment: '',
  ...more,
})

/** Facts of a finished snapshot of such a group. */
export const snapshotFacts = (
  server: number,
  backup_id: string,
  backup_time: string,
  more: Partial<Facts<'snapshot'>> = {},
): Facts<'snapshot'> => ({
  server,
  datastore_name: 'tank',
  namespace: '',
  backup_type: 'vm',
  backup_id,
  backup_time,
  size_bytes: 1000,
  owner: 'root@pam',
  protected: false,
  comment: '',
  verification_state: '',
  verification_upid: '',
  crypt_mode: 'none',
  key_fingerprint: '',
  finished: true,
  manifest_files: [{ filename: 'drive.img.fidx', size: 1000, crypt_mode: 'none' }],
  other_files: [],
  ...more,
})

/** Day of May 2026 as a time. */
export const may = (day: number): string => `2026-05-${String(day).padStart(2, '0')}T02:00:00Z`

/** The creation of a row. */
export const create = <M extends ModelName>(model: M, values: Facts<M>): Change<M> => ({
  _tag: 'create',
  key: naturalKey(model, values),
  values,
})

/** The deletion of a row. */
export const remove = (model: ModelName, id: number, facts: Readonly<Record<string, unknown>>): Change => ({
  _tag: 'delete',
  id,
  key: naturalKey(model, facts),
})

/** An update of a row to these values; `appears`: a missing row is listed again. */
export const change = <M extends ModelName>(
  model: M,
  id: number,
  facts: Facts<M>,
  to: Readonly<Record<string, FieldValue>> = {},
  appears = false,
): Change<M> => {
  const before: Readonly<Record<string, FieldValue>> = facts
  return {
    _tag: 'update',
    id,
    key: naturalKey(model, facts),
    fields: Object.entries(to).map(([field, value]) => ({ field, base: before[field] ?? null, value })),
    appears,
    broken: [],
  }
}

/** A part of a scope, with the changes of one model. */
export interface Part {
  readonly model: ModelName
  readonly changes: ReadonlyArray<Change>
  readonly held?: HoldReason
  readonly observed?: ReadonlyArray<{ readonly key: NaturalKey; readonly values: object }>
  readonly digests?: ReadonlyArray<{
    readonly key: NaturalKey<'group'>
    readonly digest: string
    readonly listed: number
    /** Left out: null. */
    readonly listDigest?: string | null
  }>
  readonly sightings?: Sightings
  readonly retained?: RetainedGroups
}

/** The scope of the snapshots in the root namespace of `tank`. */
export const rootOf = (server: string): Scope => ({ resource: 'snapshots', server, datastore: 'tank', namespace: '' })

/** Far from the ids that `newRun` gives, which belong to runs with a record. */
let runs = 1_000_000_000

/** The id of the server of a name; null: main has none. */
export const serverIdOf = (name: string) =>
  Effect.gen(function* () {
    const servers = (yield* Inventory).servers()
    const found = yield* Stream.runHead(Stream.filter(servers, ({ facts }) => facts.name === name))
    return Option.match(found, { onNone: () => null, onSome: ({ id }) => id })
  })

/** All elements of a stream. */
export const collect = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

/** Opens a change set of a run for the server of a scope. */
export const openFor = (runId: number, scope: Scope) =>
  Effect.gen(function* () {
    const serverId = scope.resource === 'servers' ? null : yield* serverIdOf(scope.server)
    return yield* (yield* ChangeSets).open({ runId, serverId })
  })

/** Opens a change set of a run of its own, appends the parts and lands the scope. */
export const landOnce = (scope: Scope, parts: ReadonlyArray<Part>, more: Partial<Landing> = {}) =>
  Effect.gen(function* () {
    const changeSets = yield* ChangeSets
    runs += 1
    const runId = runs
    const changeSet = yield* openFor(runId, scope)
    yield* appendAll(changeSet, scope, parts)
    const counts = yield* changeSets.land({
      changeSet,
      scope,
      runId,
      at: '2026-06-01T00:00:00Z',
      visibility: 'all',
      held: null,
      listed: true,
      record: null,
      ...more,
    })
    yield* changeSets.close({ changeSet })
    return counts
  })

/** Appends parts of a scope. */
export const appendAll = (changeSet: number, scope: Scope, parts: ReadonlyArray<Part>) =>
  Effect.flatMap(ChangeSets, (changeSets) =>
    Effect.forEach(
      parts,
      // The port ties observations, digests and sightings to their models; a list of mixed parts cannot say so.
      (part) => changeSets.append({ changeSet, scope, ...part } as Parameters<typeof changeSets.append>[0]),
      { discard: true },
    ),
  )
