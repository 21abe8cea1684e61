import { noCost } from '@netbox-pbs/core'
import { Effect, Stream } from 'effect'
import { expect, test } from 'vitest'
import { ended, type runDriver } from './run-driver.ts'

/** The contract of `Runs` about the jobs of a run. */
export const runJobsContract = ({
  runs,
  ids,
  create,
  started,
  record,
  endJob,
  endRun,
  end,
}: ReturnType<typeof runDriver>): void => {
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
      cost: noCost,
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

  test('a job ends once: a later report, as of a lost job, changes nothing', async () => {
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
}
