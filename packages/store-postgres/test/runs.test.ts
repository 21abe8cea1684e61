import {
  noRows,
  type Resource,
  type Run,
  type Scope,
  type ScopeOutcome,
  type ScopeResult,
  type Warning,
} from '@netbox-pbs/core'
import { Runs } from '@netbox-pbs/core/ports'
import { Effect, Layer, ManagedRuntime, Option, Stream } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { runsLayer } from '../src/runs/runs.ts'
import { engines } from './engines.ts'

const snapshots = (namespace: string): Scope => ({
  resource: 'snapshots',
  server: 'pbs-a',
  datastore: 'tank',
  namespace,
})
const ended = (namespace: string, outcome: ScopeOutcome, counts: Partial<typeof noRows> = {}): ScopeResult => ({
  scope: snapshots(namespace),
  outcome,
  reason: outcome === 'failed' ? { code: 'timeout', message: 'took too long' } : null,
  counts: { ...noRows, ...counts },
  started: '2026-05-01T02:00:00Z',
  ended: '2026-05-01T02:00:01.500000Z',
})
const warning = (message: string, count = 1): Warning => ({ scope: snapshots('a'), code: 'odd', message, count })

/** Ids of servers, by the end of their names. */
const ids = { a: 101, b: 102, c: 103, d: 104, z: 126 } as const

describe.each(engines)('Runs on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(runsLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Runs | Database>) => runtime.runPromise(effect)
  const runs = <A, E>(use: (runs: typeof Runs.Service) => Effect.Effect<A, E>) => run(Effect.flatMap(Runs, use))

  beforeAll(() =>
    run(
      Effect.flatMap(Database, ({ query }) =>
        query('naming servers', (db) =>
          sql`insert into server_names (server_id, name)
            select value::bigint, 'pbs-' || key from jsonb_each_text(${JSON.stringify(ids)}::text::jsonb)`.execute(db),
        ),
      ),
    ),
  )
  afterAll(() => runtime.dispose())

  const create = (...resources: ReadonlyArray<Resource>): Promise<Run> =>
    runs((r) =>
      r.create({
        resources: resources.length === 0 ? ['snapshots'] : resources,
        servers: null,
        trigger: 'manual',
        user: 'ada',
      }),
    )
  const started = async (...servers: ReadonlyArray<number | null>): Promise<number> => {
    const { id } = await create()
    await runs((r) => r.expectJobs({ id, serverIds: servers }))
    for (const server of servers) await runs((r) => r.startJob({ id, serverId: server }))
    return id
  }
  const record = (id: number, ...results: ReadonlyArray<ScopeResult>) =>
    runs((r) => Effect.forEach(results, (result) => r.recordScope({ id, serverId: ids.a, result })))
  const endJob = (id: number, serverId: number | null = ids.a, error: string | null = null) =>
    runs((r) => r.endJob({ id, serverId, error }))
  const endRun = (id: number, error: string | null = null) => runs((r) => r.end({ id, error }))
  /** A job ends, and the run if it was the last. */
  const end = async (...job: Parameters<typeof endJob>): Promise<Run> => {
    const { run: after, jobsLeft } = await endJob(...job)
    return jobsLeft ? after : await endRun(after.id)
  }
  const get = async (id: number): Promise<Run> => Option.getOrThrow(await runs((r) => r.get({ id })))

  test('a new run is pending and empty', async () => {
    const created = await create()
    expect(created).toEqual({
      id: expect.any(Number),
      status: 'pending',
      resources: ['snapshots'],
      servers: null,
      serverIds: null,
      scope_filter: null,
      trigger: 'manual',
      user: 'ada',
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/),
      started: null,
      completed: null,
      counts: noRows,
      staged: { created: 0, updated: 0, deleted: 0 },
      outcomes: { landed: 0, staged: 0, unchanged: 0, held_back: 0, failed: 0, skipped: 0, cancelled: 0 },
      rows_read: 0,
      error: '',
      cancel_requested: false,
    })
    expect(await get(created.id)).toEqual(created)
    expect(await runs((r) => r.get({ id: 999_999 }))).toEqual(Option.none())
  })

  test('keeps its chosen servers by id, and keeps the given names of unknown servers', async () => {
    const [row] = await run(
      Effect.flatMap(Database, ({ query }) =>
        query('adding a server', async (db) => {
          const { rows } = await sql<{ id: number }>`
            insert into servers (name, host, token_id, presence) values ('chosen', 'h', 'a@pbs!b', 'manual') returning id`.execute(
            db,
          )
          return rows
        }),
      ),
    )
    const id = row?.id ?? 0
    const change = (text: string) =>
      run(Effect.flatMap(Database, ({ query }) => query('changing a server', (db) => sql.raw(text).execute(db))))
    const named = { resources: ['jobs'], trigger: 'manual', user: 'ada' } as const
    const made = await runs((r) => r.create({ ...named, servers: ['chosen', 'unknown', id] }))
    expect(made).toMatchObject({ servers: ['chosen', 'unknown', 'chosen'], serverIds: [id, null, id] })
    await change(`update servers set name = 'chosen renamed' where id = ${id}`)
    expect(await get(made.id)).toMatchObject({
      servers: ['chosen renamed', 'unknown', 'chosen renamed'],
      serverIds: [id, null, id],
    })
    await change(`delete from servers where id = ${id}`)
    expect((await get(made.id)).servers).toEqual(['chosen renamed', 'unknown', 'chosen renamed'])
  })

  test('lists the newest first, a page at a time', async () => {
    const [first, second] = [await create(), await create()]
    const page = await runs((r) => r.list({ limit: 2, offset: 0 }))
    expect(page.rows.map((row) => row.id)).toEqual([second.id, first.id])
    expect(page.count).toBe(second.id)
    expect((await runs((r) => r.list({ limit: 1, offset: 1 }))).rows).toEqual([first])
    const waiting = { statuses: ['pending', 'failed'], triggers: [first.trigger] } as const
    const chosen = await runs((r) => r.list({ filter: waiting, limit: 9, offset: 0 }))
    expect(chosen.rows.map(({ id }) => id)).toContain(first.id)
    expect(await runs((r) => r.list({ filter: { statuses: ['failed'] }, limit: 9, offset: 0 }))).toEqual({
      count: 0,
      rows: [],
    })
  })

  test('sums what its jobs read and its scopes did', async () => {
    const id = await started(ids.a, ids.b)
    await record(id, ended('a', 'landed', { created: 3, unchanged: 4 }), ended('b', 'unchanged', { unchanged: 5 }))
    await record(id, ended('c', 'held_back', { updated: 1, held_back: 7 }), ended('d', 'landed', { deleted: 2 }))
    await record(id, ended('e', 'staged', { created: 30, updated: 20, deleted: 10, unchanged: 1 }))
    await runs((r) => r.progress({ id, serverId: ids.a, rowsRead: 10 }))
    await runs((r) => r.progress({ id, serverId: ids.a, rowsRead: 22 }))
    await runs((r) => r.progress({ id, serverId: ids.b, rowsRead: 1 }))
    const found = await get(id)
    expect(found).toMatchObject({
      status: 'running',
      started: expect.any(String),
      completed: null,
      rows_read: 23,
      counts: { created: 3, updated: 1, deleted: 2, unchanged: 10, held_back: 7 },
      staged: { created: 30, updated: 20, deleted: 10 },
      outcomes: { landed: 2, staged: 1, unchanged: 1, held_back: 1, failed: 0, skipped: 0, cancelled: 0 },
    })
    expect((await runs((r) => r.list({ limit: 1, offset: 0 }))).rows).toEqual([found])
  })

  test('records scopes in the order they ended, without the unchanged', async () => {
    const id = await started(ids.a)
    const results = [ended('z', 'landed', { created: 1 }), ended('a', 'failed'), ended('m', 'skipped')]
    await record(id, ...results, ended('u', 'unchanged'))
    expect(await runs((r) => r.scopes({ id, limit: 10, offset: 0 }))).toEqual({ count: 3, rows: results })
    expect(await runs((r) => r.scopes({ id, limit: 1, offset: 1 }))).toEqual({ count: 3, rows: [results[1]] })
  })

  test.each<[string, ScopeResult, ScopeResult, Partial<Run['outcomes']>, ReadonlyArray<ScopeOutcome>]>([
    ['failed, then landed', ended('a', 'failed'), ended('a', 'landed'), { landed: 1, failed: 0 }, ['landed']],
    ['landed, then failed', ended('a', 'landed'), ended('a', 'failed'), { landed: 0, failed: 1 }, ['failed']],
    ['landed, then unchanged', ended('a', 'landed'), ended('a', 'unchanged'), { landed: 1, unchanged: 0 }, ['landed']],
    ['failed, then unchanged', ended('a', 'failed'), ended('a', 'unchanged'), { failed: 0, unchanged: 1 }, []],
    ['unchanged twice', ended('a', 'unchanged'), ended('a', 'unchanged'), { unchanged: 1 }, []],
  ])('a scope of a second attempt replaces the first: %s', async (_, first, second, outcomes, recorded) => {
    const id = await started(ids.a)
    await record(id, first)
    await runs((r) => r.startJob({ id, serverId: ids.a }))
    await record(id, second)
    expect((await get(id)).outcomes).toMatchObject(outcomes)
    const { rows } = await runs((r) => r.scopes({ id, limit: 10, offset: 0 }))
    expect(rows.map((row) => row.outcome)).toEqual(recorded)
  })

  test('rows that an earlier attempt landed stay counted', async () => {
    const id = await started(ids.a)
    await record(id, ended('a', 'landed', { created: 5, updated: 1 }), ended('b', 'landed', { created: 7, deleted: 2 }))
    await runs((r) => r.startJob({ id, serverId: ids.a }))
    await record(id, ended('a', 'landed', { created: 1, unchanged: 5 }), ended('b', 'failed'))
    expect((await get(id)).counts).toEqual({ created: 13, updated: 1, deleted: 2, unchanged: 5, held_back: 0 })
  })

  test('rows that an earlier attempt staged are counted once', async () => {
    const id = await started(ids.a)
    await record(id, ended('a', 'staged', { created: 5 }), ended('a', 'staged', { created: 6 }))
    expect(await get(id)).toMatchObject({ counts: noRows, staged: { created: 6, updated: 0, deleted: 0 } })
  })

  test('scopes that were never opened end together, and what an earlier attempt landed in them is counted on', async () => {
    const id = await started(ids.a)
    await record(id, ended('a', 'landed', { created: 3 }), ended('b', 'staged', { created: 5 }), ended('z', 'landed'))
    const results = ['c', 'b', 'a', 'a'].map((name) => ended(name, 'cancelled'))
    await runs((r) => r.recordUnopened({ id, serverId: ids.a, results }))
    const { rows, count } = await runs((r) => r.scopes({ id, limit: 10, offset: 0 }))
    expect([count, rows.map(({ outcome, counts }) => [outcome, counts.created])]).toEqual([
      4,
      [
        ['landed', 0],
        ['cancelled', 0],
        ['cancelled', 0],
        ['cancelled', 3],
      ],
    ])
    expect(await end(id, ids.a)).toMatchObject({ status: 'cancelled', counts: { created: 3 } })
    await runs((r) => r.recordUnopened({ id, serverId: ids.a, results: [ended('late', 'cancelled')] }))
    expect((await runs((r) => r.scopes({ id, limit: 10, offset: 0 }))).count).toBe(4)
  })

  test.each<[string, ReadonlyArray<ScopeResult>, string | null, Run['status']]>([
    ['nothing at all', [], null, 'completed'],
    ['no scope and an error', [], 'the gateway does not answer', 'failed'],
    ['scopes landed and unchanged', [ended('a', 'landed'), ended('b', 'unchanged')], null, 'completed'],
    ['only unchanged scopes', [ended('b', 'unchanged')], null, 'completed'],
    ['one of two scopes failed', [ended('a', 'failed'), ended('b', 'unchanged')], null, 'incomplete'],
    ['every scope failed', [ended('a', 'failed')], null, 'failed'],
    ['a scope held back', [ended('a', 'held_back')], null, 'incomplete'],
    ['a scope cancelled', [ended('a', 'landed'), ended('b', 'cancelled')], null, 'cancelled'],
    ['a scope landed before the job broke off', [ended('a', 'landed')], 'the worker gave up', 'incomplete'],
  ])('ends by its scopes: %s', async (_, results, error, status) => {
    const id = await started(ids.a)
    await record(id, ...results)
    expect(await end(id, ids.a, error)).toMatchObject({ status, error: error ?? '', completed: expect.any(String) })
  })

  test('ends with the last of its jobs, the gateway among them', async () => {
    const id = await started(null)
    await runs((r) => r.expectJobs({ id, serverIds: [ids.a, ids.b, ids.a] }))
    expect(await end(id, null)).toMatchObject({ status: 'running' })
    expect(await end(id, ids.b, 'no endpoint')).toMatchObject({ status: 'running', completed: null })
    expect(await end(id, ids.b, 'no endpoint')).toMatchObject({ status: 'running' })
    await record(id, ended('a', 'landed'))
    expect(await end(id)).toMatchObject({ status: 'incomplete', error: 'no endpoint' })
  })

  test('is open after its last job until it is ended, with what could not be done after the jobs', async () => {
    const id = await started(null, ids.a)
    expect(await endRun(id)).toMatchObject({ status: 'running' })
    expect(await endJob(id, null, 'no list')).toMatchObject({ jobsLeft: true })
    const last = { jobsLeft: false, run: { status: 'running', completed: null } }
    expect(await endJob(id)).toMatchObject(last)
    expect(await endJob(id), 'said again after a crash').toMatchObject(last)
    await record(id, ended('a', 'staged'))
    const over = await endRun(id, 'not settled')
    expect(over).toMatchObject({ status: 'incomplete', error: 'no list; not settled', completed: expect.any(String) })
    expect(await endRun(id, 'again')).toEqual(over)
    expect(await endJob(id)).toEqual({ run: over, jobsLeft: false })
  })

  test('names open runs whose last job ended before a moment', async () => {
    const stopped = await started(ids.a)
    await endJob(stopped)
    const going = await started(ids.a, ids.b)
    await endJob(going)
    await end(await started(ids.a))
    const before = (timestamp: string) => runs((r) => r.withoutJobs({ before: timestamp }))
    const later = await before('2999-01-01T00:00:00Z')
    expect(later.filter((id) => id >= stopped)).toEqual([stopped])
    expect(await before('2020-01-01T00:00:00Z')).toEqual([])
  })

  test('tells of each job how it stands, those first that need a look', async () => {
    const { id } = await create('servers', 'datastores')
    const jobs = async () => (await runs((r) => r.jobs({ id, limit: 10, offset: 0 }))).rows
    const job = (server: string | null, state: string, tries: number, error = '') => ({
      ...{ server, state, tries, error },
      rows_read: 0,
    })
    await runs((r) => r.expectJobs({ id, serverIds: [null, ids.a, ids.b, ids.c, ids.d] }))
    for (const server of [ids.a, ids.b, ids.c]) await runs((r) => r.startJob({ id, serverId: server }))
    await runs((r) => r.retryJob({ id, serverId: ids.b, reason: 'no answer' }))
    await end(id, ids.c, 'gave up')
    await end(id, null)
    expect(await jobs()).toEqual([
      job('pbs-c', 'failed', 1, 'gave up'),
      job('pbs-b', 'retrying', 1, 'no answer'),
      job('pbs-a', 'running', 1),
      job('pbs-d', 'queued', 0),
      job(null, 'done', 0),
    ])
    expect(await runs((r) => r.jobs({ id, limit: 1, offset: 1 }))).toEqual({
      count: 5,
      rows: [job('pbs-b', 'retrying', 1, 'no answer')],
    })
    await runs((r) => r.startJob({ id, serverId: ids.b }))
    await runs((r) => r.startJob({ id, serverId: ids.a }))
    expect((await jobs()).slice(1, 3)).toEqual([
      job('pbs-a', 'running', 2, 'the worker that held it stopped before it was done'),
      job('pbs-b', 'running', 2, 'no answer'),
    ])
    await end(id, ids.b)
    await runs((r) => r.retryJob({ id, serverId: ids.b, reason: 'too late' }))
    await runs((r) => r.requestCancel({ id }))
    await end(id, ids.d)
    expect((await jobs()).slice(2)).toEqual([
      job(null, 'cancelled', 0),
      job('pbs-d', 'cancelled', 0),
      job('pbs-b', 'done', 2),
    ])
  })

  test('has a job of the gateway only when it lists the servers', async () => {
    const id = await started(null, ids.a)
    await end(id, null)
    expect(await runs((r) => r.jobs({ id, limit: 10, offset: 0 }))).toMatchObject({
      count: 1,
      rows: [{ server: 'pbs-a' }],
    })
  })

  test('tells that the jobs of a run cancelled before it began never will', async () => {
    const { id } = await create()
    await runs((r) => r.expectJobs({ id, serverIds: [ids.a] }))
    await runs((r) => r.requestCancel({ id }))
    expect((await runs((r) => r.jobs({ id, limit: 1, offset: 0 }))).rows).toMatchObject([{ state: 'cancelled' }])
  })

  test('a job ends once: what is said of it later, as of one that was lost, changes nothing', async () => {
    const id = await started(ids.a, ids.b)
    await end(id, ids.a)
    await end(id, ids.a, 'lost')
    expect(await runs((r) => r.startJob({ id, serverId: ids.a }))).toBe(false)
    expect(await runs((r) => r.startJob({ id, serverId: ids.b }))).toBe(true)
    expect(await end(id, ids.b)).toMatchObject({ status: 'completed', error: '' })
  })

  test('names the jobs that open runs wait for since before a moment', async () => {
    const open = (before: string) =>
      runs((r) => Effect.map(Stream.runCollect(r.openJobs({ before })), (all) => [...all]))
    const known = new Set((await open('2999-01-01T00:00:00Z')).map(({ runId }) => runId))
    const bare = await create()
    const going = await started(ids.a, null, ids.b)
    await end(going, ids.b)
    await end(await started(ids.a))
    const found = (await open('2999-01-01T00:00:00Z')).filter(({ runId }) => !known.has(runId))
    expect(found).toEqual([
      { runId: bare.id, serverId: null, server: null },
      { runId: going, serverId: null, server: null },
      { runId: going, serverId: ids.a, server: 'pbs-a' },
    ])
    expect(await open('2020-01-01T00:00:00Z')).toEqual([])
  })

  test('is left to exactly the last of jobs that end at once', async () => {
    const servers = Array.from({ length: 8 }, (_, n) => n + 1)
    const id = await started(...servers)
    const after = await runs((r) =>
      Effect.forEach(servers, (serverId) => r.endJob({ id, serverId, error: null }), { concurrency: 'unbounded' }),
    )
    expect(after.filter(({ jobsLeft }) => !jobsLeft)).toHaveLength(1)
    expect(await endRun(id)).toMatchObject({ status: 'completed' })
  })

  test('counts every scope of jobs that record at once', async () => {
    const id = await started(ids.a)
    const results = Array.from({ length: 20 }, (_, n) => ended(`n${n}`, n % 2 === 0 ? 'landed' : 'unchanged'))
    await runs((r) =>
      Effect.forEach(results, (result) => r.recordScope({ id, serverId: ids.a, result }), { concurrency: 'unbounded' }),
    )
    expect((await get(id)).outcomes).toMatchObject({ landed: 10, unchanged: 10 })
  })

  test('stays as it ended, whatever a lost worker still says', async () => {
    const id = await started(ids.a)
    const over = await end(id)
    await record(id, ended('late', 'failed'), ended('later', 'unchanged'))
    expect(await runs((r) => r.startJob({ id, serverId: ids.a }))).toBe(false)
    await runs((r) => r.expectJobs({ id, serverIds: [ids.z] }))
    expect(await end(id, ids.a, 'late')).toEqual(over)
    expect(await get(id)).toEqual(over)
  })

  test('adds up equal warnings in the order they first came', async () => {
    const { id } = await create()
    await runs((r) => r.warn({ id, warnings: [warning('b'), warning('a'), warning('b', 2)] }))
    await runs((r) => r.warn({ id, warnings: [{ ...warning('c'), scope: null }, warning('a')] }))
    expect(await runs((r) => r.warnings({ id }))).toEqual([
      warning('b', 3),
      warning('a', 2),
      { ...warning('c'), scope: null },
    ])
  })

  test('keeps a thousand different warnings and counts the rest, also when they come at once', async () => {
    const { id } = await create()
    const batch = (n: number) => Array.from({ length: 400 }, (_, i) => warning(`${n}-${i}`))
    await runs((r) =>
      Effect.forEach([0, 1, 2], (n) => r.warn({ id, warnings: batch(n) }), { concurrency: 'unbounded' }),
    )
    const kept = await runs((r) => r.warnings({ id }))
    expect(kept).toHaveLength(1001)
    expect(kept.at(-1)).toMatchObject({ scope: null, code: 'more', count: 200 })
    const known = kept[0]
    if (known === undefined) throw new Error('no warning')
    await runs((r) => r.warn({ id, warnings: [known, warning('new', 5)] }))
    const after = await runs((r) => r.warnings({ id }))
    expect(after).toHaveLength(1001)
    expect(after[0]).toEqual({ ...known, count: 2 })
    expect(after.at(-1)).toMatchObject({ code: 'more', count: 205 })
  })

  test('a pending run is cancelled at once, and its jobs find it so', async () => {
    const { id } = await create()
    await runs((r) => r.expectJobs({ id, serverIds: [ids.a] }))
    expect(await runs((r) => r.cancelRequested({ id }))).toBe(false)
    expect(Option.getOrThrow(await runs((r) => r.requestCancel({ id })))).toMatchObject({
      status: 'cancelled',
      completed: expect.any(String),
      cancel_requested: true,
    })
    expect(await runs((r) => r.cancelRequested({ id }))).toBe(true)
    await runs((r) => r.startJob({ id, serverId: ids.a }))
    expect(await end(id)).toMatchObject({ status: 'cancelled', started: null })
  })

  test('a running run is cancelled when its jobs have ended', async () => {
    const id = await started(ids.a)
    await record(id, ended('a', 'landed'))
    expect(Option.getOrThrow(await runs((r) => r.requestCancel({ id })))).toMatchObject({ status: 'running' })
    expect(await end(id)).toMatchObject({ status: 'cancelled' })
  })

  test('a run that is over is not cancelled, and neither is one that is not there', async () => {
    const id = await started(ids.a)
    const over = await end(id)
    expect(await runs((r) => r.requestCancel({ id }))).toEqual(Option.some(over))
    expect(await runs((r) => r.requestCancel({ id: 999_999 }))).toEqual(Option.none())
    expect(await runs((r) => r.cancelRequested({ id: 999_999 }))).toBe(false)
  })
})
