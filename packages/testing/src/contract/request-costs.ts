import { noCost } from '@netbox-pbs/core'
import { RequestCosts, Runs, type SourceCost } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { beforeAll, expect, test } from 'vitest'

/** Costs under test, with the runs that they belong to. */
export interface RequestCostsUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, RequestCosts | Runs>) => Promise<A>
  /** Adds a server to main and returns its id. */
  readonly addServer: (name: string) => Promise<number>
  readonly removeServer: (id: number) => Promise<unknown>
}

/** The contract of `RequestCosts`. */
export const requestCostsContract = ({ run, addServer, removeServer }: RequestCostsUnderTest): void => {
  const costs = <A, E>(use: (costs: typeof RequestCosts.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(RequestCosts, use))
  const runs = <A, E>(use: (runs: typeof Runs.Service) => Effect.Effect<A, E>) => run(Effect.flatMap(Runs, use))
  const ids = { a: 0, b: 0 }
  beforeAll(async () => {
    ids.a = await addServer('cost-a')
    ids.b = await addServer('cost-b')
  })
  const started = async (): Promise<number> => {
    const { id } = await runs((r) =>
      r.create({ resources: ['servers', 'jobs'], servers: null, trigger: 'manual', user: '' }),
    )
    await runs((r) => r.expectJobs({ id, serverIds: [null, ids.a, ids.b] }))
    return id
  }
  const asked = (requests: number, most_in_flight = 1) => ({
    ...{ requests, bytes: requests * 1000, millis: requests * 10 },
    most_in_flight,
  })
  const of = (server: string, requests: number, change: Partial<SourceCost> = {}): SourceCost => ({
    ...{ server, ...asked(requests) },
    ...change,
  })
  const jobs = async (id: number) =>
    Object.fromEntries(
      (await runs((r) => r.jobs({ id, limit: 10, offset: 0 }))).rows.map(({ server, cost }) => [server ?? '', cost]),
    )
  const days = async (serverId: number, limit = 10) => costs((c) => c.days({ serverId, limit, offset: 0 }))

  test('adds up what a job and a day have cost', async () => {
    const id = await started()
    const run = String(id)
    const record = (day: string, ...told: ReadonlyArray<SourceCost>) =>
      costs((c) => c.record({ runId: id, serverId: ids.a, day, costs: told }))
    // The gateway may know the server by an earlier name.
    await record('2026-05-01', of('earlier', 3, { run, most_in_flight: 4 }))
    await record('2026-05-01', of('cost-a', 2, { run, most_in_flight: 2 }), of('cost-a', 1))
    await record('2026-05-02', of('cost-a', 1, { run }))
    expect(await jobs(id)).toEqual({ '': noCost, 'cost-a': asked(6, 4), 'cost-b': noCost })
    expect(Option.getOrThrow(await runs((r) => r.get({ id }))).cost).toEqual(asked(6, 4))
    expect(await days(ids.a)).toEqual({
      count: 2,
      rows: [
        { day: '2026-05-02', ...asked(1) },
        { day: '2026-05-01', ...asked(6, 4) },
      ],
    })
    expect(await days(ids.b)).toEqual({ count: 0, rows: [] })
    expect(await costs((c) => c.lastRun({ serverId: ids.a }))).toEqual(Option.some({ runId: id, cost: asked(6, 4) }))
    expect(await costs((c) => c.lastRun({ serverId: ids.b }))).toEqual(Option.none())
  })

  test("what the gateway's job asked is its own cost, and that of each server's day", async () => {
    const id = await started()
    const told = [of('cost-b', 2, { run: String(id) }), of('cost-a', 2, { run: String(id) }), of('unknown', 9)]
    await costs((c) => c.record({ runId: id, serverId: null, day: '2026-06-01', costs: told }))
    expect(await jobs(id)).toEqual({ '': asked(4), 'cost-a': noCost, 'cost-b': noCost })
    expect((await days(ids.a, 1)).rows).toEqual([{ day: '2026-06-01', ...asked(2) }])
    expect((await days(ids.b, 1)).rows).toEqual([{ day: '2026-06-01', ...asked(2) }])
  })

  test('what an earlier run asked is its own cost', async () => {
    const [earlier, later] = [await started(), await started()]
    const told = [of('cost-a', 1, { run: String(later) }), of('cost-a', 5, { run: String(earlier) })]
    const foreign = [of('cost-a', 1, { run: 'of another system' }), of('cost-a', 1, { run: '999999999' })]
    await costs((c) => c.record({ runId: later, serverId: ids.a, day: '2026-07-01', costs: [...told, ...foreign] }))
    expect((await jobs(earlier))['cost-a']).toEqual(asked(5))
    expect((await jobs(later))['cost-a']).toEqual(asked(1))
    expect((await days(ids.a, 1)).rows).toEqual([{ day: '2026-07-01', ...asked(8) }])
  })

  test('tells which servers were asked so often on a day', async () => {
    const id = await started()
    const told = [of('cost-a', 3), of('cost-b', 2)]
    await costs((c) => c.record({ runId: id, serverId: null, day: '2026-08-01', costs: told }))
    const reached = (day: string, requests: number) => costs((c) => c.reached({ day, requests }))
    expect(await reached('2026-08-01', 3)).toEqual(new Set([ids.a]))
    expect(await reached('2026-08-01', 2)).toEqual(new Set([ids.a, ids.b]))
    expect(await reached('2026-08-02', 1)).toEqual(new Set())
  })

  test('a try that follows another adds to its cost', async () => {
    const id = await started()
    for (const requests of [1, 2]) {
      await runs((r) => r.startJob({ id, serverId: ids.a }))
      const told = [of('cost-a', requests, { run: String(id) })]
      await costs((c) => c.record({ runId: id, serverId: ids.a, day: '2026-07-01', costs: told }))
    }
    expect((await jobs(id))['cost-a']).toEqual(asked(3))
  })

  test('nothing is kept of a server that was deleted', async () => {
    const id = await started()
    const gone = await addServer('cost-c')
    const record = () =>
      costs((c) => c.record({ runId: id, serverId: gone, day: '2026-07-01', costs: [of('cost-c', 1)] }))
    await record()
    expect((await days(gone)).count).toBe(1)
    await removeServer(gone)
    await record()
    expect((await days(gone)).count).toBe(0)
  })
}
