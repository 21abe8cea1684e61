import { naturalKey, type Resolution, type Scope } from '@netbox-pbs/core'
import { Branches, ChangeSets, type ConflictFilter, type Landing } from '@netbox-pbs/core/ports'
import {
  appendAll,
  create,
  datastoreFacts,
  groupFacts,
  landOnce,
  may,
  openFor,
  type Part,
  rootOf,
  serverFacts,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { sql } from 'kysely'
import { Database } from '../../src/database/database.ts'

/** A person who merges. */
export const actor = { user: 'ann', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' }

/** When staged lists were complete: after every `landOnce`. */
export const at = '2026-06-02T00:00:00Z'

/** Rows of a query on the database under test. */
export const rows = <A>(text: string) =>
  Effect.flatMap(Database, (database) =>
    database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
  )

let runId = 100_000

/** An open branch of a run of its own. */
export const newBranch = (name: string, kind: 'sync' | 'operator' = 'sync') =>
  Effect.flatMap(Branches, (branches) =>
    branches.create({
      name,
      kind,
      description: '',
      user: '',
      runId: kind === 'sync' ? ++runId : null,
      review: false,
    }),
  )

/** Stages parts of a scope in a branch, as a run of its own does. */
export const stageOnce = (branch: number, scope: Scope, parts: ReadonlyArray<Part>, more: Partial<Landing> = {}) =>
  Effect.gen(function* () {
    const changeSets = yield* ChangeSets
    const id = ++runId
    const changeSet = yield* openFor(id, scope)
    yield* appendAll(changeSet, scope, parts)
    const landing: Landing = {
      changeSet,
      scope,
      runId: id,
      at,
      visibility: 'all',
      held: null,
      listed: true,
      record: null,
      ...more,
    }
    const staged = yield* changeSets.stage({ ...landing, branch })
    yield* changeSets.close({ changeSet })
    return staged
  })

export const merge = (id: number, commit = true) =>
  Effect.flatMap(Branches, (branches) => branches.merge({ id, commit, by: actor, at, approval: false }))

export const check = (id: number) => Effect.flatMap(Branches, (branches) => branches.check({ id }))

export const revert = (id: number, name: string, commit = true) =>
  Effect.flatMap(Branches, (branches) => branches.revert({ id, name, user: 'ann', commit }))

export const conflictsOf = (id: number) =>
  Effect.map(
    Effect.flatMap(Branches, (branches) => branches.conflicts({ id, filter: {}, limit: 1000, offset: 0 })),
    ({ rows: found }) => found,
  )

export const answer = (id: number, resolution: Resolution, filter: ConflictFilter = {}) =>
  Effect.flatMap(Branches, (branches) => branches.resolve({ id, filter, resolution, user: 'bob' }))

/** A server with two datastores, and a group of snapshots on some days of May in the first of them. */
export const newFleet = (name: string, days: ReadonlyArray<number> = [1, 2, 3]) =>
  Effect.gen(function* () {
    yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
    const [row] = yield* rows<{ id: number }>(`select id from servers where name = '${name}'`)
    const server = row?.id ?? 0
    const stores: Scope = { resource: 'datastores', server: name }
    const facts = ['tank', 'vault'].map((store) => datastoreFacts(server, store))
    yield* landOnce(stores, [{ model: 'datastore', changes: facts.map((of) => create('datastore', of)) }])
    const group = groupFacts(server, '100')
    yield* landOnce(rootOf(name), [
      { model: 'snapshot', changes: days.map((day) => create('snapshot', snapshotFacts(server, '100', may(day)))) },
      {
        model: 'group',
        changes: [create('group', group)],
        digests: [{ key: naturalKey('group', group), digest: 'first', listed: days.length }],
      },
    ])
    const ids = yield* rows<{ id: number }>(`select id from snapshots where server_id = ${server} order by backup_time`)
    const storeIds = yield* rows<{ id: number }>(`select id from datastores where server_id = ${server} order by name`)
    const snapshot = (nth: number) => ({
      id: ids[nth]?.id ?? 0,
      facts: snapshotFacts(server, '100', may(days[nth] ?? 0)),
    })
    return {
      server,
      stores,
      snapshots: rootOf(name),
      snapshot,
      tank: { id: storeIds[0]?.id ?? 0, facts: datastoreFacts(server, 'tank') },
      vault: { id: storeIds[1]?.id ?? 0, facts: datastoreFacts(server, 'vault') },
    }
  })
