import { type Filter, noCost, noRows, type Run, type ScopeResult, type Warning } from '@netbox-pbs/core'
import { Effect, Option } from 'effect'
import { expect, test } from 'vitest'
import { ended, type RunsUnderTest, runDriver, snapshotsIn } from './run-driver.ts'
import { runJobsContract } from './run-jobs.ts'
import { runScopesContract } from './run-scopes.ts'

const warning = (message: string, count = 1): Warning => ({ scope: snapshotsIn('a'), code: 'odd', message, count })

/** The contract of `Runs`. */
export const runsContract = (underTest: RunsUnderTest): void => {
  const driver = runDriver(underTest)
  const { runs, ids, create, started, record, end, get } = driver
  const { addServer, renameServer, removeServer } = underTest

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
      mode: 'full',
      user: 'ada',
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/),
      started: null,
      completed: null,
      counts: noRows,
      staged: { created: 0, updated: 0, deleted: 0 },
      outcomes: { landed: 0, staged: 0, unchanged: 0, held_back: 0, failed: 0, skipped: 0, cancelled: 0 },
      rows_read: 0,
      cost: noCost,
      error: '',
      cancel_requested: false,
    })
    expect(await get(created.id)).toEqual(created)
    expect(await runs((r) => r.get({ id: 999_999 }))).toEqual(Option.none())
  })

  test('keeps how it lists snapshots', async () => {
    const light = { resources: ['snapshots'], servers: null, trigger: 'schedule', mode: 'light', user: '' } as const
    const { id } = await runs((r) => r.create(light))
    expect(await get(id)).toMatchObject({ mode: 'light' })
  })

  test('keeps its chosen servers by id, and keeps the given names of unknown servers', async () => {
    const id = await addServer('chosen')
    const named = { resources: ['jobs'], trigger: 'manual', user: 'ada' } as const
    const made = await runs((r) => r.create({ ...named, servers: ['chosen', 'unknown', id] }))
    expect(made).toMatchObject({ servers: ['chosen', 'unknown', 'chosen'], serverIds: [id, null, id] })
    await renameServer(id, 'chosen renamed')
    expect(await get(made.id)).toMatchObject({
      servers: ['chosen renamed', 'unknown', 'chosen renamed'],
      serverIds: [id, null, id],
    })
    await removeServer(id)
    expect((await get(made.id)).servers).toEqual(['chosen renamed', 'unknown', 'chosen renamed'])
  })

  test('lists the newest first, a page at a time', async () => {
    const { count } = await runs((r) => r.list({ limit: 1, offset: 0 }))
    const [first, second] = [await create(), await create()]
    const page = await runs((r) => r.list({ limit: 2, offset: 0 }))
    expect(page.rows.map((row) => row.id)).toEqual([second.id, first.id])
    expect(page.count).toBe((count ?? 0) + 2)
    expect((await runs((r) => r.list({ limit: 1, offset: 1 }))).rows).toEqual([first])
    const statuses = (...values: ReadonlyArray<string>): Filter => ({ field: 'status', lookup: 'exact', values })
    const trigger: Filter = { field: 'trigger', lookup: 'exact', values: [first.trigger] }
    const order = [{ field: 'created', descending: false }]
    const chosen = async (where: ReadonlyArray<Filter>) =>
      (await runs((r) => r.list({ where, order, limit: 1000, offset: 0 }))).rows.map(({ id }) => id)
    const waiting = await chosen([statuses('pending', 'failed'), trigger])
    expect(waiting.slice(-2)).toEqual([first.id, second.id])
    expect(await chosen([{ ...statuses('pending'), negated: true }])).not.toContain(first.id)
    expect(await chosen([{ field: 'id', lookup: 'gte', values: [second.id] }])).toEqual([second.id])
    expect(await chosen([{ field: 'started', lookup: 'empty', values: [true] }])).toContain(first.id)
    const failed = [statuses('failed'), { ...trigger, values: ['system'] }]
    expect(await runs((r) => r.list({ where: failed, limit: 9, offset: 0 }))).toEqual({
      count: 0,
      rows: [],
    })
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

  runScopesContract(driver, underTest)
  runJobsContract(driver)
}
