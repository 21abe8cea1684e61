import { type ChangeFilter, followsSettings, type LoggedChange, neverContacted } from '@netbox-pbs/core'
import {
  type ChangeSets,
  Changes,
  type Inventory,
  InventoryLists,
  type InventoryWrites,
  KeyTaken,
  Runs,
} from '@netbox-pbs/core/ports'
import {
  change,
  create,
  datastoreFacts,
  groupFacts,
  jobFacts,
  landOnce,
  may,
  remove,
  rootOf,
  serverFacts,
  snapshotFacts,
  writesOneByOne,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Option } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { rows } from './contract/branching.ts'
import { ada } from './contract/edits.ts'
import { engines } from './engines.ts'

type Ports = InventoryWrites | InventoryLists | ChangeSets | Changes | Runs | Database | Inventory

let lastRun = 5_000_000
/** A run of its own for each landing, so that its entries can be told from all others. */
const aRun = () => ({ runId: ++lastRun })

let lastRequest = 0
const aRequest = () => ada(++lastRequest)

/** An entry without what differs from one test run to the next. */
const reported = ({ action, model, title, before, after, counts }: LoggedChange) => ({
  what: `${action} ${model} ${title}`,
  before,
  after,
  ...(counts === null ? {} : { counts }),
})

describe.each(engines)('the change log on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const list = (filter: ChangeFilter, limit = 50, offset = 0) =>
    Effect.flatMap(Changes, (changes) => changes.list({ filter, limit, offset }))
  /** The entries of a run or a request, oldest first. */
  const entries = (filter: ChangeFilter) => Effect.map(list(filter), ({ rows }) => rows.toReversed().map(reported))
  const landed = ({ runId }: { readonly runId: number }) => entries({ runIds: [runId] })
  const requested = ({ requestId }: { readonly requestId: string }) => entries({ requestIds: [requestId] })

  const rowsOf = (model: 'group' | 'snapshot' | 'job' | 'datastore', serverId: number) =>
    Effect.flatMap(InventoryLists, (lists) =>
      Effect.map(
        lists.list({
          model,
          filters: [{ field: 'server', lookup: 'exact', values: [serverId] }],
          search: null,
          order: [],
          page: { _tag: 'offset', limit: 50, offset: 0 },
        }),
        ({ rows }) => rows.map(({ id }) => id),
      ),
    )
  const server = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      return (yield* (yield* InventoryLists).serverIds({ names: [name] })).get(name) ?? 0
    })
  /** A server with one synced group of two snapshots. */
  const synced = (name: string) =>
    Effect.gen(function* () {
      const id = yield* server(name)
      const first = aRun()
      yield* landOnce(
        rootOf(name),
        [
          { model: 'snapshot', changes: [1, 2].map((day) => create('snapshot', snapshotFacts(id, '100', may(day)))) },
          { model: 'group', changes: [create('group', groupFacts(id, '100'))] },
        ],
        first,
      )
      const [newest = 0, oldest = 0] = yield* rowsOf('snapshot', id)
      const [group = 0] = yield* rowsOf('group', id)
      return { id, first, newest, oldest, group }
    })

  test('sums up what a run has created in a scope', async () => {
    await run(
      Effect.gen(function* () {
        const { id, first } = yield* synced('made')
        expect(yield* landed(first)).toEqual([
          {
            what: 'create snapshot snapshots of made/tank',
            before: null,
            after: { created: expect.any(String) },
            counts: { snapshot: 2, group: 1 },
          },
        ])
        const { rows: entries } = yield* list({ runIds: [first.runId] })
        expect(entries).toMatchObject([{ objectId: null, serverId: id, requestId: null, user: '' }])
        // It leads to the rows that it sums up: they were created at this very time.
        const made = ['snapshots', 'groups'].map((table) =>
          rows(`select distinct created from ${table} where server_id = ${id}`),
        )
        expect(yield* Effect.all(made)).toEqual([[entries[0]?.after], [entries[0]?.after]])
      }),
    )
  })

  test('has the touched facts of each row that a run has updated, and who started it', async () => {
    await run(
      Effect.gen(function* () {
        const { id, newest, oldest } = yield* synced('touched')
        const runs = yield* Runs
        const started = yield* runs.create({
          resources: ['snapshots'],
          servers: null,
          trigger: 'manual',
          user: 'grace',
        })
        const files = [{ filename: 'index.json.blob', size: 512 }]
        const [first, second] = [1, 2].map((day) => snapshotFacts(id, '100', may(day)))
        if (first === undefined || second === undefined) throw new Error('no facts')
        yield* landOnce(
          rootOf('touched'),
          [
            {
              model: 'snapshot',
              changes: [
                change('snapshot', oldest, first, { comment: 'kept', protected: true, size_bytes: null }),
                change('snapshot', newest, second, { other_files: files }),
              ],
            },
          ],
          { runId: started.id },
        )
        const manifest = first.manifest_files
        expect(yield* entries({ users: ['grace'] })).toEqual([
          {
            what: 'update snapshot touched/tank/vm/100/2026-05-01T02:00:00Z',
            before: { comment: '', protected: false, size_bytes: 1000 },
            after: { comment: 'kept', protected: true, size_bytes: null },
          },
          {
            what: 'update snapshot touched/tank/vm/100/2026-05-02T02:00:00Z',
            before: { files: manifest },
            after: { files: [...(Array.isArray(manifest) ? manifest : []), ...files] },
          },
        ])
        const { rows } = yield* list({ users: ['grace'] })
        expect(rows.map(({ objectId, runId }) => [objectId, runId])).toEqual([
          [newest, started.id],
          [oldest, started.id],
        ])
      }),
    )
  })

  test('has no entry of an update that changes no fact, of an observation, of a deletion that waits, or of an unchanged scope', async () => {
    await run(
      Effect.gen(function* () {
        const { id, newest, oldest } = yield* synced('quiet')
        const facts = snapshotFacts(id, '100', may(2))
        const same = aRun()
        const appears = change('snapshot', newest, facts, {}, true)
        // Staged against an older reading of main: the row has this comment already.
        const stale = change('snapshot', oldest, snapshotFacts(id, '100', may(1), { comment: 'old' }), { comment: '' })
        yield* landOnce(rootOf('quiet'), [{ model: 'snapshot', changes: [appears, stale] }], same)
        const held = aRun()
        const removed = { model: 'snapshot' as const, changes: [remove('snapshot', newest, facts)] }
        yield* landOnce(rootOf('quiet'), [removed], { ...held, held: 'too_many' })
        const unchanged = aRun()
        yield* landOnce(rootOf('quiet'), [], unchanged)
        const observing = aRun()
        yield* landOnce(
          { resource: 'servers' },
          [
            {
              model: 'server',
              changes: [],
              observed: [{ key: ['quiet'], values: { ...neverContacted, status: 'unreachable' } }],
            },
          ],
          observing,
        )
        expect(yield* Effect.all([same, held, unchanged, observing].map(landed))).toEqual([[], [], [], []])
      }),
    )
  })

  test('has each row that a run has deleted as it was, with the group that was left empty', async () => {
    await run(
      Effect.gen(function* () {
        const { id, newest, oldest, group } = yield* synced('gone')
        const both = aRun()
        const facts = groupFacts(id, '100')
        yield* landOnce(
          rootOf('gone'),
          [
            {
              model: 'snapshot',
              changes: [
                remove('snapshot', oldest, snapshotFacts(id, '100', may(1))),
                remove('snapshot', newest, snapshotFacts(id, '100', may(2))),
              ],
            },
            { model: 'group', changes: [remove('group', group, facts)] },
          ],
          both,
        )
        const { manifest_files, other_files: _, ...shown } = snapshotFacts(id, '100', may(1))
        const own = { tags: [], custom_fields: {} }
        const listed = { created: expect.any(String), presence: 'listed' }
        expect(yield* landed(both)).toEqual([
          {
            what: 'delete snapshot gone/tank/vm/100/2026-05-01T02:00:00Z',
            before: { ...shown, ...own, ...listed, files: manifest_files },
            after: null,
          },
          expect.objectContaining({ what: 'delete snapshot gone/tank/vm/100/2026-05-02T02:00:00Z' }),
          {
            what: 'delete group gone/tank/vm/100', // Its source had taken it off its list by then.
            before: { ...facts, ...own, ...listed, presence: 'manual' },
            after: null,
          },
        ])
      }),
    )
  })

  test('has nothing twice when a landing is repeated, and nothing of one that fails', async () => {
    await run(
      Effect.gen(function* () {
        const { id, newest } = yield* synced('twice')
        const again = aRun()
        const facts = snapshotFacts(id, '100', may(2))
        const part = { model: 'snapshot' as const, changes: [change('snapshot', newest, facts, { comment: 'new' })] }
        yield* landOnce(rootOf('twice'), [part], again)
        yield* landOnce(rootOf('twice'), [part], again)
        expect(yield* landed(again)).toHaveLength(1)
        const fails = aRun()
        const impossible = { ...part, changes: [change('snapshot', newest, facts, { comment: 'newer' })] }
        yield* Effect.exit(landOnce(rootOf('twice'), [impossible], { ...fails, at: 'no moment' }))
        expect(yield* landed(fails)).toEqual([])
      }),
    )
  })

  test('has what a row made by a user was before a run has adopted it', async () => {
    await run(
      Effect.gen(function* () {
        const id = yield* server('adopted')
        const edits = yield* writesOneByOne
        const row = { server: id, job_type: 'verify', job_id: 'v1', store: 'tank', schedule: 'weekly' }
        yield* edits.create({ model: 'job', rows: [row], actor: aRequest() })
        const adopting = aRun()
        yield* landOnce(
          { resource: 'jobs', server: 'adopted', job_type: 'verify' },
          [
            {
              model: 'job',
              changes: [create('job', jobFacts(id, 'v1')), create('job', jobFacts(id, 'v2'))],
            },
          ],
          adopting,
        )
        expect(yield* landed(adopting)).toEqual([
          {
            what: 'update job adopted/verify/v1',
            before: { schedule: 'weekly' },
            after: { schedule: 'daily' },
          },
          {
            what: 'create job verify jobs of adopted',
            before: null,
            after: { created: expect.any(String) },
            counts: { job: 1 },
          },
        ])
      }),
    )
  })

  test('has one entry of each row that a user has made, changed or deleted', async () => {
    await run(
      Effect.gen(function* () {
        const id = yield* server('by-hand')
        const edits = yield* writesOneByOne
        const [making, changing, observing, deleting] = [aRequest(), aRequest(), aRequest(), aRequest()] as const
        const rows = ['a', 'b'].map((name) => ({ server: id, name, path: `/mnt/${name}` }))
        const [a = 0] = yield* edits.create({ model: 'datastore', rows, actor: making })
        const whole = { ...datastoreFacts(id, 'a'), tags: [], custom_fields: {} }
        expect(yield* requested(making)).toEqual([
          { what: 'create datastore by-hand/a', before: null, after: whole },
          expect.objectContaining({ what: 'create datastore by-hand/b' }),
        ])
        const values = { comment: 'big', path: '/mnt/a', tags: [{ slug: 'x' }], used_bytes: 5 }
        yield* edits.update({ model: 'datastore', id: a, values, actor: changing })
        yield* edits.update({ model: 'datastore', id: a, values: { used_bytes: 7 }, actor: observing })
        const touched = { comment: 'big', tags: [{ slug: 'x' }] }
        expect(yield* requested(changing)).toEqual([
          { what: 'update datastore by-hand/a', before: { comment: '', tags: [] }, after: touched },
        ])
        expect(yield* requested(observing)).toEqual([])
        yield* edits.remove({ model: 'datastore', id: a, actor: deleting })
        expect(yield* requested(deleting)).toEqual([
          {
            what: 'delete datastore by-hand/a',
            before: { ...whole, ...touched, created: expect.any(String), presence: 'manual' },
            after: null,
          },
        ])
        const { rows: whose } = yield* list({ requestIds: [deleting.requestId] })
        expect(whose).toMatchObject([{ objectId: a, serverId: id, runId: null, ...deleting }])
      }),
    )
  })

  test('has the group that comes and goes with a snapshot of a user', async () => {
    await run(
      Effect.gen(function* () {
        const id = yield* server('alone')
        const edits = yield* writesOneByOne
        const [making, deleting] = [aRequest(), aRequest()] as const
        const key = { server: id, datastore_name: 'tank', backup_type: 'vm', backup_id: '7', backup_time: may(1) }
        const [snapshot = 0] = yield* edits.create({ model: 'snapshot', rows: [key], actor: making })
        yield* edits.remove({ model: 'snapshot', id: snapshot, actor: deleting })
        const what = (action: string) => [
          `${action} snapshot alone/tank/vm/7/2026-05-01T02:00:00Z`,
          `${action} group alone/tank/vm/7`,
        ]
        expect((yield* requested(making)).map((entry) => entry.what)).toEqual(what('create'))
        expect((yield* requested(deleting)).map((entry) => entry.what)).toEqual(what('delete'))
      }),
    )
  })

  test('has each row that went with a server as it was, and how many they were', async () => {
    await run(
      Effect.gen(function* () {
        const { id, newest, oldest, group } = yield* synced('whole')
        const own = yield* (yield* writesOneByOne).create({
          model: 'datastore',
          rows: [{ server: id, name: 'own', path: '/o' }],
          actor: aRequest(),
        })
        const edits = yield* writesOneByOne
        const actor = aRequest()
        yield* edits.remove({ model: 'server', id, actor })
        const { rows: entries } = yield* list({ requestIds: [actor.requestId] })
        expect(entries.toReversed().map(({ model, objectId }) => [model, objectId])).toEqual([
          ['snapshot', oldest],
          ['snapshot', newest],
          ['group', group],
          ['datastore', own[0]],
          ['server', id],
        ])
        expect(new Set(entries.map((entry) => [entry.action, entry.serverId, entry.user].join()))).toEqual(
          new Set([`delete,${id},${actor.user}`]),
        )
        const { manifest_files, other_files: _, ...shown } = snapshotFacts(id, '100', may(1))
        const whole = (presence: string) => ({ tags: [], custom_fields: {}, created: expect.any(String), presence })
        expect(entries.toReversed().map(reported)).toEqual([
          {
            what: 'delete snapshot whole/tank/vm/100/2026-05-01T02:00:00Z',
            before: { ...shown, ...whole('listed'), files: manifest_files },
            after: null,
          },
          expect.objectContaining({ what: 'delete snapshot whole/tank/vm/100/2026-05-02T02:00:00Z' }),
          {
            what: 'delete group whole/tank/vm/100',
            before: { ...groupFacts(id, '100'), ...whole('listed') },
            after: null,
          },
          {
            what: 'delete datastore whole/own',
            before: { ...datastoreFacts(id, 'own', { path: '/o' }), ...whole('manual') },
            after: null,
          },
          {
            what: 'delete server whole',
            before: { ...serverFacts('whole'), ...followsSettings, ...whole('listed') },
            after: null,
            counts: { datastore: 1, namespace: 0, group: 1, snapshot: 2, job: 0, task: 0 },
          },
        ])
      }),
    )
  })

  test('has every row of a server with many, and the process answers others while they are deleted', async () => {
    const turns = { taken: 0, stopped: false }
    const takeTurns = (): void => {
      turns.taken += 1
      if (!turns.stopped) setImmediate(takeTurns)
    }
    await run(
      Effect.gen(function* () {
        const { id } = yield* synced('crowded')
        yield* rows(`insert into snapshots (server_id, datastore_name, namespace, backup_type, backup_id, backup_time, presence)
          select ${id}, 'tank', '', 'vm', '100', timestamptz '2020-01-01T00:00:00Z' + n * interval '1 hour', 'listed' from generate_series(1, 5000) n`)
        yield* rows(`insert into tasks (server_id, upid, worker_type, starttime, presence)
          select ${id}, 'UPID:crowded:' || n, 'verify', timestamptz '2020-01-01T00:00:00Z', 'listed' from generate_series(1, 2500) n`)
        const actor = aRequest()
        const edits = yield* writesOneByOne
        takeTurns()
        yield* edits.remove({ model: 'server', id, actor })
        turns.stopped = true
        expect(
          yield* rows(
            `select model, count(*)::int as logged from changes where request_id = '${actor.requestId}' group by model order by model`,
          ),
        ).toEqual([
          { model: 'group', logged: 1 },
          { model: 'server', logged: 1 },
          { model: 'snapshot', logged: 5002 },
        ])
        expect(
          yield* rows(`select (select count(*) from snapshots where server_id = ${id})::int as snapshots,
            (select count(*) from tasks where server_id = ${id})::int as tasks`),
        ).toEqual([{ snapshots: 0, tasks: 0 }])
      }),
    )
    // Six windows of snapshots, three of tasks: the embedded engine blocks the process during a
    // statement, and nothing else may.
    expect(turns.taken).toBeGreaterThan(9)
  })

  test('has one entry of what a request does to an object in several steps, and none of what it takes back', async () => {
    await run(
      Effect.gen(function* () {
        const edits = yield* writesOneByOne
        const [making, renaming, reverting, rejected] = [aRequest(), aRequest(), aRequest(), aRequest()] as const
        const unconnected = { host: 'h', token_id: 't@pbs!x' }
        const of = (values: object) => ({ name: 'steps', ...unconnected, ...values })
        const write = (id: number, values: Readonly<Record<string, string | number>>, actor = making) =>
          edits.update({ model: 'server', id, values, actor })
        const rows = [of({ endpoint_state: 'pending' })]
        const [id = 0] = yield* edits.create({ model: 'server', rows, actor: making })
        yield* write(id, { endpoint_state: 'connected', endpoint_id: 4 })
        const made = { what: 'create server steps', before: null }
        expect(yield* requested(making)).toMatchObject([
          { ...made, after: of({ endpoint_state: 'connected', endpoint_id: 4 }) },
        ])
        yield* write(id, { host: 'other', endpoint_state: 'pending' }, renaming)
        yield* write(id, { name: 'renamed', endpoint_state: 'connected' }, renaming)
        expect(yield* requested(renaming)).toEqual([
          {
            what: 'update server renamed',
            before: { name: 'steps', host: 'h' },
            after: { name: 'renamed', host: 'other' },
          },
        ])
        yield* write(id, { host: 'third', endpoint_state: 'pending' }, reverting)
        yield* write(id, { host: 'other', endpoint_state: 'connected' }, reverting)
        expect(yield* requested(reverting)).toEqual([])
        const [again = 0] = yield* edits.create({ model: 'server', rows, actor: rejected })
        yield* edits.remove({ model: 'server', id: again, actor: rejected })
        expect(yield* requested(rejected)).toEqual([])
      }),
    )
  })

  test('has each step of a request between which another has changed the object, and what it takes back if another has made a row below it', async () => {
    await run(
      Effect.gen(function* () {
        const edits = yield* writesOneByOne
        const [making, other, deleting, undone] = [aRequest(), aRequest(), aRequest(), aRequest()] as const
        const row = (name: string) => ({ name, host: 'h', token_id: 't@pbs!x' })
        const [id = 0] = yield* edits.create({ model: 'server', rows: [row('between')], actor: making })
        const write = (values: Readonly<Record<string, string>>, actor = making) =>
          edits.update({ model: 'server', id, values, actor })
        yield* write({ host: 'other' }, other)
        yield* write({ host: 'mine' })
        yield* write({ token_id: 't@pbs!y' }, deleting)
        yield* write({ host: 'last' }, other)
        yield* edits.remove({ model: 'server', id, actor: deleting })
        const changes = yield* Changes
        const of = { models: ['server'], objectIds: [id] } as const
        const { rows: entries } = yield* changes.list({ filter: of, limit: 50, offset: 0 })
        expect(
          entries.toReversed().map(({ action, before, after }) => [action, before?.['host'], after?.['host']]),
        ).toEqual([
          ['create', undefined, 'h'],
          ['update', 'h', 'other'],
          ['update', 'other', 'mine'],
          ['update', undefined, undefined],
          ['update', 'mine', 'last'],
          ['delete', 'last', undefined],
        ])
        expect(entries[0]?.before).toMatchObject({ token_id: 't@pbs!y' })
        const [again = 0] = yield* edits.create({ model: 'server', rows: [row('undone')], actor: undone })
        yield* edits.create({ model: 'datastore', rows: [{ server: again, name: 'a', path: '/' }], actor: other })
        yield* edits.remove({ model: 'server', id: again, actor: undone })
        expect((yield* requested(undone)).map(({ what }) => what)).toEqual([
          'create server undone',
          'delete datastore undone/a',
          'delete server undone',
        ])
      }),
    )
  })

  test('has nothing of a write that is refused', async () => {
    await run(
      Effect.gen(function* () {
        const id = yield* server('refused')
        const edits = yield* writesOneByOne
        const [making, moving] = [aRequest(), aRequest()] as const
        const store = (name: string) => ({ server: id, name, path: '/' })
        const [first = 0] = yield* edits.create({
          model: 'datastore',
          rows: [store('a'), store('b')],
          actor: aRequest(),
        })
        const create = edits.create({ model: 'datastore', rows: [store('c'), store('a')], actor: making })
        expect(yield* Effect.flip(create)).toEqual(new KeyTaken({ model: 'datastore', index: 1 }))
        const update = edits.update({ model: 'datastore', id: first, values: { name: 'b' }, actor: moving })
        expect(yield* Effect.flip(update)).toEqual(new KeyTaken({ model: 'datastore', index: 0 }))
        expect(yield* Effect.all([making, moving].map(requested))).toEqual([[], []])
      }),
    )
  })

  test('is listed newest first, by page and by each filter', async () => {
    await run(
      Effect.gen(function* () {
        const id = yield* server('listed')
        const edits = yield* writesOneByOne
        const actor = { ...aRequest(), user: 'linus' }
        const rows = ['a', 'b', 'c'].map((name) => ({ server: id, name, path: '/' }))
        const [a = 0] = yield* edits.create({ model: 'datastore', rows, actor })
        yield* edits.remove({ model: 'datastore', id: a, actor: { ...aRequest(), user: 'linus' } })
        const of = { users: ['linus'] }
        const titles = (filter: ChangeFilter, limit?: number, offset?: number) =>
          Effect.map(list({ ...of, ...filter }, limit, offset), ({ count, rows: found }) => [
            count,
            ...found.map(({ action, title }) => `${action} ${title}`),
          ])
        const all = ['delete listed/a', 'create listed/c', 'create listed/b', 'create listed/a']
        expect(yield* titles({})).toEqual([4, ...all])
        expect(yield* titles({}, 2, 1)).toEqual([4, ...all.slice(1, 3)])
        expect(yield* titles({ actions: ['delete'] })).toEqual([1, all[0]])
        expect(yield* titles({ models: ['datastore'], objectIds: [a] })).toEqual([2, all[0], all[3]])
        expect(yield* titles({ models: ['job'] })).toEqual([0])
        expect(yield* titles({ requestIds: [actor.requestId] })).toEqual([3, ...all.slice(1)])
        expect(yield* titles({ runIds: [1] })).toEqual([0])
        const [newest, ...others] = (yield* list(of)).rows
        if (newest === undefined) throw new Error('nothing listed')
        expect(yield* titles({ after: newest.time })).toEqual([1, all[0]])
        expect(yield* titles({ before: others[0]?.time ?? '' })).toEqual([3, ...all.slice(1)])
        const changes = yield* Changes
        expect(yield* changes.get({ id: newest.id })).toEqual(Option.some(newest))
        expect(yield* changes.get({ id: newest.id + 1000 })).toEqual(Option.none())
      }),
    )
  })
})
