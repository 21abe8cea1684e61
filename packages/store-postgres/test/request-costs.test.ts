import { RequestCosts } from '@netbox-pbs/core/ports'
import { requestCostsContract } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { requestCostsLayer } from '../src/runs/request-costs.ts'
import { runsLayer } from '../src/runs/runs.ts'
import { engines } from './engines.ts'

describe.each(engines)('RequestCosts on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(Layer.merge(runsLayer, requestCostsLayer), migrated))
  afterAll(() => runtime.dispose())
  const change = (text: string) =>
    runtime.runPromise(
      Effect.flatMap(Database, ({ query }) =>
        query('changing servers', async (db) => (await sql.raw<{ id: number }>(text).execute(db)).rows),
      ),
    )
  const addServer = async (name: string) => {
    const [row] = await change(
      `insert into servers (name, host, token_id, presence) values ('${name}', 'h', 'a@pbs!b', 'manual') returning id`,
    )
    return row?.id ?? 0
  }

  requestCostsContract({
    run: (effect) => runtime.runPromise(effect),
    addServer,
    removeServer: (id) => change(`delete from servers where id = ${id}`),
  })

  test('lists of servers and jobs that end at once all count', async () => {
    const [x, y] = [await addServer('busy-x'), await addServer('busy-y')]
    const cost = { requests: 1, bytes: 1, millis: 1, most_in_flight: 1 }
    const record = (serverId: number | null, ...names: ReadonlyArray<string>) =>
      Effect.flatMap(RequestCosts, (costs) =>
        costs.record({
          ...{ runId: 1, serverId, day: '2026-05-01' },
          costs: names.map((server) => ({ server, ...cost })),
        }),
      )
    await runtime.runPromise(
      Effect.all(
        Array.from({ length: 10 }, () => [
          record(null, 'busy-x', 'busy-y'),
          record(null, 'busy-y', 'busy-x'),
          record(x, 'busy-x'),
          record(y, 'busy-y'),
        ]).flat(),
        { concurrency: 'unbounded' },
      ),
    )
    const requests = await change(
      `select requests::int as id from server_costs where server_id in (${x}, ${y}) order by server_id`,
    )
    expect(requests).toEqual([{ id: 30 }, { id: 30 }])
  })
})
