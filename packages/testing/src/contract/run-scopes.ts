import { noRows, type Run, type ScopeOutcome, type ScopeResult } from '@netbox-pbs/core'
import { Effect } from 'effect'
import { expect, test } from 'vitest'
import { ended, type RunsUnderTest, type runDriver, snapshotsIn } from './run-driver.ts'

/** The contract of `Runs` about the scopes of a run. */
export const runScopesContract = (
  { runs, ids, started, record, end, get }: ReturnType<typeof runDriver>,
  { addServer, renameServer }: RunsUnderTest,
): void => {
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

  test('a scope is recorded once when its server is renamed between two attempts, and read under the present name', async () => {
    const serverId = await addServer('before')
    const id = await started(serverId)
    const of = (server: string, result: ScopeResult) => ({ ...result, scope: { ...snapshotsIn('a'), server } })
    await runs((r) => r.recordScope({ id, serverId, result: of('before', ended('a', 'landed', { created: 2 })) }))
    await renameServer(serverId, 'after')
    expect(await runs((r) => r.scopes({ id, limit: 10, offset: 0 }))).toEqual({
      count: 1,
      rows: [of('after', ended('a', 'landed', { created: 2 }))],
    })
    await runs((r) => r.startJob({ id, serverId }))
    await runs((r) => r.recordScope({ id, serverId, result: of('after', ended('a', 'landed', { created: 1 })) }))
    expect(await runs((r) => r.scopes({ id, limit: 10, offset: 0 }))).toEqual({
      count: 1,
      rows: [of('after', ended('a', 'landed', { created: 3 }))],
    })
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

  test('counts every scope of jobs that record at once', async () => {
    const id = await started(ids.a)
    const results = Array.from({ length: 20 }, (_, n) => ended(`n${n}`, n % 2 === 0 ? 'landed' : 'unchanged'))
    await runs((r) =>
      Effect.forEach(results, (result) => r.recordScope({ id, serverId: ids.a, result }), { concurrency: 'unbounded' }),
    )
    expect((await get(id)).outcomes).toMatchObject({ landed: 10, unchanged: 10 })
  })
}
