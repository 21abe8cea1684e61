import {
  type Change,
  type Facts,
  type FieldValue,
  type HoldReason,
  type ModelName,
  naturalKey,
  type Scope,
  type Sightings,
} from '@netbox-pbs/core'
import { ChangeSets, type Landing } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import { Database } from '../../src/database/database.ts'

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
  finished: true,
  manifest_files: [{ filename: 'drive.img.fidx', size: 1000, crypt_mode: 'none' }],
  other_files: [],
  ...more,
})

/** Day of May 2026 as a time. */
export const may = (day: number): string => `2026-05-${String(day).padStart(2, '0')}T02:00:00Z`

export const create = <M extends ModelName>(model: M, values: Facts<M>): Change<M> => ({
  _tag: 'create',
  key: naturalKey(model, values),
  values,
})

export const remove = (model: ModelName, id: number, facts: Readonly<Record<string, unknown>>): Change => ({
  _tag: 'delete',
  id,
  key: naturalKey(model, facts),
})

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
  readonly observed?: ReadonlyArray<{ readonly key: string; readonly values: object }>
  readonly digests?: ReadonlyArray<{ readonly key: string; readonly digest: string; readonly listed: number }>
  readonly sightings?: Sightings
}

/** The scope of the snapshots in the root namespace of `tank`. */
export const rootOf = (server: string): Scope => ({ resource: 'snapshots', server, datastore: 'tank', namespace: '' })

let runs = 0

/** Opens a change set of a run for the server of a scope. */
export const openFor = (runId: number, scope: Scope) =>
  Effect.gen(function* () {
    const { query } = yield* Database
    const name = scope.resource === 'servers' ? '' : scope.server
    const { rows } = yield* query('testing', (db) =>
      sql<{ id: number }>`select id from servers where name = ${name}`.execute(db),
    )
    return yield* (yield* ChangeSets).open({ runId, serverId: rows[0]?.id ?? null })
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
