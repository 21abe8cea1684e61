import { type Facts, naturalKey, type Observations } from '@netbox-pbs/core'
import { Inventory, InventoryLists } from '@netbox-pbs/core/ports'
import { create, landOnce, may, serverFacts } from '@netbox-pbs/testing'
import { Chunk, Effect, Layer, ManagedRuntime, Stream } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { pruneTasks } from '../src/retention/retention.ts'
import { engines } from './engines.ts'

type TaskObservation = Observations<'task'>

const running: TaskObservation = { endtime: null, outcome: 'running', status: '' }
const ok = (endtime: string): TaskObservation => ({ endtime, outcome: 'ok', status: 'OK' })

const taskFacts = (server: number, upid: string, starttime: string, more: Partial<Facts<'task'>> = {}) => ({
  server,
  upid,
  node: 'pbs1',
  worker_type: 'backup',
  worker_id: 'tank:vm/101',
  user: 'backup@pbs',
  starttime,
  datastore_name: 'tank',
  namespace: '',
  backup_type: 'vm',
  backup_id: '101',
  job_type: '',
  job_id: '',
  ...more,
})

describe.each(engines)('tasks on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof inventoryLayer> | Database>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const rows = <A>(text: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
    )
  const newServer = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const [row] = yield* rows<{ id: number }>(`select id from servers where name = '${name}'`)
      return row?.id ?? 0
    })
  /** Lands tasks that main lacks, with their first readings, and later readings of others. */
  const land = (
    server: string,
    created: ReadonlyArray<readonly [Facts<'task'>, TaskObservation]>,
    later: ReadonlyArray<readonly [Facts<'task'>, TaskObservation]> = [],
  ) =>
    landOnce({ resource: 'tasks', server }, [
      {
        model: 'task',
        changes: created.map(([facts]) => create('task', facts)),
        observed: [...created, ...later].map(([facts, values]) => ({ key: naturalKey('task', facts), values })),
      },
    ])
  const known = (serverId: number, ...upids: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const tasks = yield* Stream.runCollect((yield* Inventory).tasks({ serverId, upids }))
      return Object.fromEntries([...tasks].map(({ facts, observed }) => [facts.upid, observed]))
    })
  const upidsOf = (serverId: number) =>
    Effect.gen(function* () {
      const page = { _tag: 'offset', limit: 50, offset: 0 } as const
      const filters = [{ field: 'server', lookup: 'exact', values: [serverId] }] as const
      const { rows: listed, count } = yield* (yield* InventoryLists).list({
        model: 'task',
        filters,
        search: null,
        order: [],
        page,
      })
      expect(count).toBe(listed.length)
      return listed.map(({ upid }) => upid)
    })

  test('land with their first readings; a later one ends a task without touching it otherwise', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('landing')
        const first = taskFacts(server, 'U:1', may(1))
        const second = taskFacts(server, 'U:2', may(2), {
          worker_type: 'verificationjob',
          job_type: 'verify',
          job_id: 'v',
        })
        expect(
          yield* land('landing', [
            [first, running],
            [second, ok('2026-05-02T02:03:20Z')],
          ]),
        ).toMatchObject({ created: 2, updated: 0 })
        expect(yield* known(server, 'U:1', 'U:2', 'U:3')).toEqual({ 'U:1': running, 'U:2': ok('2026-05-02T02:03:20Z') })
        expect(yield* rows(`select upid, duration from tasks where server_id = ${server} order by upid`)).toEqual([
          { upid: 'U:1', duration: null },
          { upid: 'U:2', duration: 200 },
        ])
        const stamp = yield* rows<object>(
          `select upid, last_updated, xmin::text from tasks where upid like 'U:%' order by upid`,
        )

        yield* land('landing', [], [[first, { endtime: '2026-05-01T03:00:00Z', outcome: 'error', status: 'no space' }]])
        const [row] = yield* rows<object>(`select outcome, status, duration from tasks where upid = 'U:1'`)
        expect(row).toEqual({ outcome: 'error', status: 'no space', duration: 3600 })
        const after = yield* rows<{ last_updated: string; xmin: string }>(
          `select upid, last_updated, xmin::text from tasks where upid like 'U:%' order by upid`,
        )
        expect(after.map(({ xmin: _, ...rest }) => rest)).toEqual(
          stamp.map((one) => {
            const { xmin: _, ...rest } = one as { xmin: string }
            return rest
          }),
        )
        // A reading that says nothing new writes nothing.
        yield* land('landing', [], [[first, { endtime: '2026-05-01T03:00:00Z', outcome: 'error', status: 'no space' }]])
        expect(
          yield* rows(`select upid, last_updated, xmin::text from tasks where upid like 'U:%' order by upid`),
        ).toEqual(after)
        expect(yield* rows(`select * from changes where model = 'task'`)).toEqual([])
        const [scope] = yield* rows(`select visibility from scopes where resource = 'tasks' and server_id = ${server}`)
        expect(scope).toEqual({ visibility: 'all' })
      }),
    )
  })

  test('that are known twice over are one', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('twice')
        const facts = taskFacts(server, 'T:1', may(1))
        yield* land('twice', [[facts, running]])
        expect(yield* land('twice', [[facts, running]])).toMatchObject({ created: 0, updated: 0 })
        expect(yield* upidsOf(server)).toEqual(['T:1'])
      }),
    )
  })

  test('mark how far a server is known', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('marks')
        const inventory = yield* Inventory
        const marks = inventory.taskMarks({ serverId: server })
        expect(yield* marks).toEqual({ newestStart: null, oldestRunning: null })
        yield* land('marks', [
          [taskFacts(server, 'M:1', may(1)), ok(may(2))],
          [taskFacts(server, 'M:2', may(2)), running],
          [taskFacts(server, 'M:3', may(3)), running],
          [taskFacts(server, 'M:4', may(4)), ok(may(5))],
        ])
        expect(yield* marks).toEqual({ newestStart: may(4), oldestRunning: may(2) })
        const open = yield* Stream.runCollect(inventory.runningTasks({ serverId: server }))
        expect(Chunk.toReadonlyArray(open).map(({ facts, observed }) => [facts.upid, observed.outcome])).toEqual([
          ['M:2', 'running'],
          ['M:3', 'running'],
        ])
        expect(yield* inventory.scopeState({ resource: 'tasks', server: 'marks' })).toMatchObject({ rows: 0, held: 0 })
      }),
    )
  })

  test('are listed newest first, also in numbers', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('many')
        const at = (index: number) => new Date(Date.UTC(2026, 4, 1) + index * 1000).toISOString().replace('.000', '')
        const tasks = Array.from({ length: 6000 }, (_, index) => taskFacts(server, `N:${index}`, at(index)))
        const counts = yield* land(
          'many',
          tasks.map((facts) => [facts, running] as const),
        )
        expect(counts.created).toBe(6000)
        yield* land(
          'many',
          [],
          tasks.map((facts) => [facts, ok(may(9))] as const),
        )
        expect(yield* rows(`select outcome, count(*) as n from tasks where server_id = ${server} group by 1`)).toEqual([
          { outcome: 'ok', n: 6000 },
        ])
        const { rows: listed } = yield* (yield* InventoryLists).list({
          model: 'task',
          filters: [
            { field: 'backup_id', lookup: 'exact', values: ['101'] },
            { field: 'outcome', lookup: 'exact', values: ['ok'] },
            { field: 'server', lookup: 'exact', values: [server] },
          ],
          search: null,
          order: [],
          page: { _tag: 'offset', limit: 2, offset: 1 },
        })
        expect(listed.map(({ upid, duration, serverName }) => [upid, typeof duration, serverName])).toEqual([
          ['N:5998', 'number', 'many'],
          ['N:5997', 'number', 'many'],
        ])
      }),
    )
  })

  test('go when they are older than wanted, but not while they run', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('pruned')
        yield* land('pruned', [
          [taskFacts(server, 'P:1', '2025-01-01T00:00:00Z'), ok('2025-01-02T00:00:00Z')],
          [taskFacts(server, 'P:2', '2025-01-01T00:00:00Z'), running],
          [taskFacts(server, 'P:3', '2025-03-01T00:00:00Z'), ok('2025-03-02T00:00:00Z')],
          ...Array.from(
            { length: 2500 },
            (_, index) =>
              [taskFacts(server, `Q:${index}`, '2025-01-01T00:00:00Z'), ok('2025-01-02T00:00:00Z')] as const,
          ),
        ])
        const database = yield* Database
        const prune = pruneTasks(database, { before: '2025-02-01T00:00:00Z', limit: 2000 })
        expect([yield* prune, yield* prune, yield* prune]).toEqual([
          { removed: 2000, more: true },
          { removed: 501, more: false },
          { removed: 0, more: false },
        ])
        expect(yield* upidsOf(server)).toEqual(['P:3', 'P:2'])
        expect(yield* rows(`select * from changes where model = 'task'`)).toEqual([])
      }),
    )
  })

  test('go with their server', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('gone')
        yield* land('gone', [[taskFacts(server, 'G:1', may(1)), running]])
        yield* rows(`delete from servers where id = ${server}`)
        expect(yield* known(server, 'G:1')).toEqual({})
      }),
    )
  })
})
