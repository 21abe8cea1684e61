import {
  Branches,
  BranchOfRun,
  type ChangeSets,
  type Inventory,
  type InventoryLists,
  type InventoryWrites,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import {
  change,
  create,
  datastoreFacts,
  jobFacts,
  landOnce,
  may,
  oneByOne,
  remove,
  snapshotFacts,
  writesOneByOne,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Option } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { personsBranch } from './contract/branch-edits.ts'
import {
  actor,
  answer,
  at,
  check,
  conflictsOf,
  merge,
  newBranch,
  newFleet,
  revert,
  rows,
  stageOnce,
} from './contract/branching.ts'
import { engines } from './engines.ts'

describe.each(engines)('whose branch it is on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(
    effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | InventoryLists | Database | Inventory>,
  ) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** The branch of a run that waits with a change of a datastore, and what users may try in it. */
  const waiting = (name: string) =>
    Effect.gen(function* () {
      const fleet = yield* newFleet(name)
      const { server, stores, tank } = fleet
      yield* landOnce({ resource: 'jobs', server: name, job_type: 'verify' }, [
        { model: 'job', changes: [create('job', jobFacts(server, 'v-1'))] },
      ])
      const [job] = yield* rows<{ id: number }>(`select id from jobs where server_id = ${server}`)
      const branch = yield* newBranch(name)
      yield* stageOnce(branch.id, stores, [
        { model: 'datastore', changes: [change('datastore', tank.id, tank.facts, { comment: 'source' })] },
      ])
      return { ...fleet, job: job?.id ?? 0, branch }
    })
  const entries = (id: number) =>
    rows(`select 'datastore' as model, id, op, comment from branch_datastores where branch_id = ${id}
      union all select 'server', id, op, host from branch_servers where branch_id = ${id}
      union all select 'snapshot', id, op, comment from branch_snapshots where branch_id = ${id}
      union all select 'job', id, op, comment from branch_jobs where branch_id = ${id}`)

  test('that of a run takes no edit of a user, of any model, and keeps what the run has staged', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, snapshot, job, branch } = yield* waiting('of-run')
        const writes = oneByOne((yield* Branches).overlay({ id: branch.id }).writes)
        const staged = yield* entries(branch.id)
        const rowsOf: Readonly<Record<WritableModel, { id: number; edit: object; made: object }>> = {
          server: { id: server, edit: { sync_interval_minutes: 99 }, made: { name: 'made', host: 'h', token_id: 't' } },
          datastore: { id: tank.id, edit: { comment: 'mine' }, made: { server, name: 'made', path: '/m' } },
          snapshot: {
            id: snapshot(0).id,
            edit: { comment: 'mine' },
            made: { ...snapshotFacts(server, '100', may(20)) },
          },
          job: { id: job, edit: { comment: 'mine' }, made: { ...jobFacts(server, 'made') } },
        }
        const rejected = new BranchOfRun({ id: branch.id, runId: branch.run_id })
        for (const [model, { id, edit, made }] of Object.entries(rowsOf)) {
          const of = { model: model as WritableModel, actor }
          expect(yield* Effect.flip(writes.create({ ...of, rows: [made as never] }))).toEqual(rejected)
          expect(yield* Effect.flip(writes.create({ ...of, rows: [] }))).toEqual(rejected)
          expect(yield* Effect.flip(writes.update({ ...of, id, values: edit as never }))).toEqual(rejected)
          expect(yield* Effect.flip(writes.remove({ ...of, id }))).toEqual(rejected)
        }
        expect(rejected.message).toBe(`this is the branch of run ${branch.run_id}: open a branch of your own to edit`)
        expect(yield* entries(branch.id)).toEqual(staged)
      }),
    )
  })

  test('that of a run is compared, answered, approved, tried, merged and closed by users as before', async () => {
    await run(
      Effect.gen(function* () {
        const { tank, branch } = yield* waiting('decided')
        const branches = yield* Branches
        yield* (yield* writesOneByOne).update({ model: 'datastore', id: tank.id, values: { comment: 'mine' }, actor })
        yield* check(branch.id)
        expect(yield* conflictsOf(branch.id)).toMatchObject([{ kind: 'update_update', field: 'comment' }])
        yield* answer(branch.id, { choice: 'branch' })
        const { revision } = Option.getOrThrow(yield* branches.get({ id: branch.id }))
        yield* branches.approve({ id: branch.id, revision, user: 'grace', at })
        expect((yield* merge(branch.id, false)).counts).toEqual({ created: 0, updated: 1, deleted: 0 })
        expect((yield* merge(branch.id)).branch.status).toBe('merged')
        const other = yield* waiting('given-up')
        expect((yield* branches.close({ id: other.branch.id, status: 'closed' })).status).toBe('closed')
      }),
    )
  })

  test('that undoes a merge belongs to a user, who may edit it', async () => {
    await run(
      Effect.gen(function* () {
        const { tank, branch } = yield* waiting('undone')
        yield* merge(branch.id)
        const undo = yield* revert(branch.id, 'undo')
        const writes = oneByOne((yield* Branches).overlay({ id: undo.id }).writes)
        expect(yield* writes.update({ model: 'datastore', id: tank.id, values: { comment: 'mine' }, actor })).toBe(true)
        yield* merge(undo.id)
        expect(yield* rows(`select comment from datastores where id = ${tank.id}`)).toEqual([{ comment: 'mine' }])
      }),
    )
  })

  test('that of a user lands what only users own, and what it made outlives the next sync', async () => {
    await run(
      Effect.gen(function* () {
        const { server, stores, snapshots, snapshot, tank, vault } = yield* newFleet('mine')
        const branch = yield* personsBranch('mine')
        yield* branch.update('server', server, { sync_interval_minutes: 99, tags: ['kept'] })
        const store = yield* branch.make('datastore', { server, name: 'made', path: '/m' })
        const made = yield* branch.make('snapshot', { ...snapshotFacts(server, '100', may(20)) })
        yield* branch.update('snapshot', snapshot(0).id, { custom_fields: { owner: 'ada' } })
        yield* merge(branch.id)
        const landed = () =>
          Effect.all([
            rows(`select sync_interval_minutes, tags from servers where id = ${server}`),
            rows(`select id, presence from datastores where id = ${store}`),
            rows(`select id, presence from snapshots where id = ${made}`),
            rows(`select custom_fields from snapshots where id = ${snapshot(0).id}`),
          ])
        const expected = [
          [{ sync_interval_minutes: 99, tags: ['kept'] }],
          [{ id: store, presence: 'manual' }],
          [{ id: made, presence: 'manual' }],
          [{ custom_fields: { owner: 'ada' } }],
        ]
        expect(yield* landed()).toEqual(expected)
        // The next sync finds neither the store nor the snapshot: it removes what it has listed
        // itself, and nothing else.
        yield* landOnce(stores, [
          {
            model: 'datastore',
            changes: [
              remove('datastore', store, datastoreFacts(server, 'made')),
              remove('datastore', vault.id, vault.facts),
            ],
          },
        ])
        yield* landOnce(snapshots, [
          {
            model: 'snapshot',
            changes: [
              remove('snapshot', made, snapshotFacts(server, '100', may(20))),
              remove('snapshot', snapshot(1).id, snapshot(1).facts),
            ],
          },
        ])
        expect(yield* landed()).toEqual(expected)
        expect(yield* rows(`select id from datastores where id in (${vault.id}, ${tank.id})`)).toEqual([
          { id: tank.id },
        ])
      }),
    )
  })
})
