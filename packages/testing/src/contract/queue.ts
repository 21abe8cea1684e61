import { type ClaimedJob, Queue, type SyncJob } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { expect, test } from 'vitest'

/** A queue under test. It is empty before each test. */
export interface QueueUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Queue>) => Promise<A>
  /** Tries that a job has. */
  readonly tries: number
  /** Lets the time pass that waiting jobs are put off for. */
  readonly endDelays: () => Promise<unknown>
}

const job = (runId: number, serverId: number | null): SyncJob => ({
  runId,
  serverId,
  resources: ['datastores', 'snapshots'],
})

const [a, b, drip, other] = [1, 2, 3, 4]

/** The contract of `Queue`. */
export const queueContract = ({ run, tries, endDelays }: QueueUnderTest): void => {
  const queue = <A, E>(use: (queue: typeof Queue.Service) => Effect.Effect<A, E>) => run(Effect.flatMap(Queue, use))
  const enqueue = (...jobs: ReadonlyArray<SyncJob>) =>
    queue((q) => Effect.forEach(jobs, (one) => q.enqueue(one, { urgent: false }), { discard: true }))
  const claim = () => queue((q) => q.claim())
  const claimed = async (): Promise<ClaimedJob> => Option.getOrThrow(await claim())

  test('gives out a job as it was queued, once', async () => {
    await enqueue(job(1, a))
    expect(await claimed()).toEqual({
      id: expect.any(String),
      job: job(1, a),
      attempt: 1,
      last: false,
      heartbeatTimeoutSeconds: 60,
    })
    expect(await claim()).toEqual(Option.none())
  })

  test('puts the jobs of servers to avoid off, and gives out the others', async () => {
    await enqueue(job(1, drip), job(2, a))
    const other = await queue((q) => q.claim({ avoid: [drip, 99] }))
    expect(Option.getOrThrow(other).job).toEqual(job(2, a))
    expect(await claim()).toEqual(Option.none())
    await endDelays()
    expect((await claimed()).job).toEqual(job(1, drip))
  })

  test('has nothing to do', async () => {
    expect(await claim()).toEqual(Option.none())
  })

  test('gives out the oldest first', async () => {
    await enqueue(job(1, b), job(1, null), job(2, a))
    expect([await claimed(), await claimed(), await claimed()].map((one) => one.job)).toEqual([
      job(1, b),
      job(1, null),
      job(2, a),
    ])
  })

  test('gives out what is urgent before what was queued earlier, of one server and of others', async () => {
    await enqueue(job(1, a), job(1, b))
    await queue((q) => q.enqueue(job(2, b), { urgent: true }))
    await queue((q) => q.enqueue(job(3, null), { urgent: true }))
    const taken = [await claimed(), await claimed(), await claimed()]
    expect(taken.map((one) => one.job)).toEqual([job(2, b), job(3, null), job(1, a)])
    await queue((q) => q.complete(taken[0] as ClaimedJob))
    expect((await claimed()).job).toEqual(job(1, b))
  })

  test('drops the waiting jobs of a run, and does not queue them again', async () => {
    await enqueue(job(1, a), job(1, b), job(1, null), job(2, b))
    const held = await claimed()
    const failed = await claimed()
    await queue((q) => q.retry(failed, 'no'))
    expect((await queue((q) => q.drop({ runId: 1 }))).toSorted()).toEqual([b, null])
    await enqueue(job(1, b))
    await endDelays()
    expect((await claimed()).job).toEqual(job(2, b))
    expect(await claim()).toEqual(Option.none())
    expect(await queue((q) => q.drop({ runId: 1 }))).toEqual([])
    await queue((q) => q.heartbeat(held))
    expect(await queue((q) => q.busy({ serverId: a }))).toBe(true)
  })

  test('tells which jobs it does not have: those never queued, or done', async () => {
    await enqueue(job(1, a), job(1, b), job(1, null), job(2, null))
    await claimed()
    const second = await claimed()
    await queue((q) => q.complete(second))
    const requested = [job(1, a), job(1, b), job(1, null), job(2, null), job(3, a)]
    expect(await queue((q) => q.missing(requested))).toEqual([job(1, b), job(3, a)])
    expect(await queue((q) => q.missing([]))).toEqual([])
  })

  test('queues the same part of a run once, also after it is done', async () => {
    await enqueue(job(1, a), job(1, a), job(1, null))
    const first = await claimed()
    await queue((q) => q.complete(first))
    await enqueue(job(1, a))
    expect((await claimed()).job).toEqual(job(1, null))
    expect(await claim()).toEqual(Option.none())
  })

  test('lets a second run wait while its server is held, and no other', async () => {
    await enqueue(job(1, a), job(2, a), job(2, other), job(3, null), job(4, null))
    const first = await claimed()
    expect((await claimed()).job).toEqual(job(2, other))
    expect((await claimed()).job).toEqual(job(3, null))
    expect(await claim()).toEqual(Option.none())
    await queue((q) => q.complete(first))
    expect((await claimed()).job).toEqual(job(2, a))
  })

  test('gives workers that reach at once one job of each server', async () => {
    const servers = Array.from({ length: 6 }, (_, n) => n + 1)
    await enqueue(...[1, 2, 3].flatMap((runId) => servers.map((server) => job(runId, server))))
    const done: Array<string> = []
    for (let round = 0; round < 3; round += 1) {
      const taken = await queue((q) => Effect.all(Array.from({ length: 12 }, q.claim), { concurrency: 'unbounded' }))
      const held = taken.filter(Option.isSome).map(({ value }) => value)
      expect(held.map((one) => one.job.serverId).toSorted()).toEqual(servers)
      done.push(...held.map((one) => one.id))
      await queue((q) => Effect.forEach(held, q.complete, { concurrency: 'unbounded' }))
    }
    expect(new Set(done).size).toBe(18)
  })

  test('tries again after a backoff, and says which try is the last', async () => {
    await enqueue(job(1, a), job(2, b))
    const first = await claimed()
    await queue((q) => q.retry(first, 'the gateway does not answer'))
    // It does not block jobs of other servers.
    const other = await claimed()
    expect(other.job).toEqual(job(2, b))
    expect(await claim()).toEqual(Option.none())
    const attempts: Array<ClaimedJob> = [first]
    for (let n = 2; n <= tries; n += 1) {
      await endDelays()
      const again = await claimed()
      attempts.push(again)
      await queue((q) => q.retry(again, 'still not'))
    }
    expect(attempts.map(({ id, attempt, last }) => ({ id, attempt, last }))).toEqual(
      Array.from({ length: tries }, (_, n) => ({ id: first.id, attempt: n + 1, last: n + 1 === tries })),
    )
    await endDelays()
    expect(await claim()).toEqual(Option.none())
    expect(await queue((q) => q.busy({ serverId: a }))).toBe(false)
  })

  test('takes a released job back at once, to its place and without counting the try', async () => {
    await enqueue(job(1, a), job(2, b))
    const first = await claimed()
    await queue((q) => q.release(first))
    expect(await claimed()).toEqual(first)
    await queue((q) => q.retry(first, 'no'))
    await endDelays()
    const second = await claimed()
    expect(second).toMatchObject({ job: job(1, a), attempt: 2 })
    await queue((q) => q.release(second))
    expect(await claimed()).toEqual(second)
  })

  test('is busy with what waits and what is held', async () => {
    const busy = () => queue((q) => Effect.all([a, b, null].map((serverId) => q.busy({ serverId }))))
    expect(await busy()).toEqual([false, false, false])
    await enqueue(job(1, a), job(1, null))
    expect(await busy()).toEqual([true, false, true])
    const first = await claimed()
    expect(await busy()).toEqual([true, false, true])
    await queue((q) => q.retry(first, 'no'))
    expect(await busy()).toEqual([true, false, true])
    await endDelays()
    const again = await claimed()
    await queue((q) => q.complete(again))
    expect(await busy()).toEqual([false, false, true])
  })
}
