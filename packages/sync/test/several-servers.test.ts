import { Effect, Layer, Redacted, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { changeServers, connectServer, removeServers } from '../src/index.ts'
import { MemoryGateway } from './memory/endpoints.ts'
import { inventoryWritesLayer } from './memory/inventory-writes.ts'
import { MemorySystem } from './memory/system.ts'

const actor = { user: 'ada', requestId: '7d1c1c1e-0000-4000-8000-000000000001' }

/** Two servers that are inventory only, and a third that is connected. */
async function setUp() {
  const system = new MemorySystem()
  const gateway = new MemoryGateway()
  const layer = Layer.mergeAll(system.layer, inventoryWritesLayer(system.world, 0), gateway.layer)
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof layer>>) =>
    Effect.runPromise(
      Effect.either(effect).pipe(
        Effect.map((result) => (result._tag === 'Left' ? result.left : result.right)),
        Effect.provide(layer),
        Effect.provide(TestContext.TestContext),
      ),
    )
  for (const [name, secret] of [
    ['a', null],
    ['b', null],
    ['c', Redacted.make('a-secret')],
  ] as const)
    await run(connectServer({ values: { name, host: `${name}.example.org`, token_id: 'r@pbs!n' }, secret, actor }))
  const names = () => system.world.all('server').map(({ facts }) => facts['name'])
  const hosts = () => system.world.all('server').map(({ facts }) => facts['host'])
  return { world: system.world, gateway, run, names, hosts }
}

describe('changing several servers', () => {
  test('writes them together, and a connected one as far as its endpoint stays', async () => {
    const { run, hosts, gateway } = await setUp()
    gateway.mode = 'down'
    const rows = [
      { id: 1, values: { host: 'new-a' } },
      { id: 3, values: { host: 'c.example.org', sync_interval_minutes: 5 } },
    ]
    expect(await run(changeServers({ rows, actor }))).toBeUndefined()
    expect(hosts()).toEqual(['new-a', 'b.example.org', 'c.example.org'])
  })

  test('refuses all of them for one whose endpoint would change, with the fields that it has too', async () => {
    const { run, hosts } = await setUp()
    const rows = [
      { id: 1, values: { host: 'new-a' } },
      { id: 3, values: { name: 'd', port: 1, version: '9' } },
    ]
    expect(await run(changeServers({ rows, actor }))).toMatchObject({
      _tag: 'ServersConnected',
      servers: [{ id: 3, fields: ['name', 'port'] }],
    })
    expect(hosts()).toEqual(['a.example.org', 'b.example.org', 'c.example.org'])
  })

  test('names the place of one that is not there, and waits for one that is being connected', async () => {
    const { world, run } = await setUp()
    const missing = [
      { id: 1, values: { host: 'x' } },
      { id: 9, values: { host: 'x' } },
    ]
    expect(await run(changeServers({ rows: missing, actor }))).toMatchObject({ _tag: 'RowNotFound', index: 1 })
    await run(changeServers({ rows: [{ id: 2, values: { endpoint_state: 'pending' } }], actor }))
    expect(world.all('server')[1]?.facts['endpoint_state']).toBe('pending')
    expect(await run(changeServers({ rows: missing.map((row) => ({ ...row, id: 2 })).slice(1), actor }))).toMatchObject(
      {
        _tag: 'ServerPending',
      },
    )
  })
})

describe('deleting several servers', () => {
  test('deletes them together', async () => {
    const { run, names, gateway } = await setUp()
    gateway.mode = 'down'
    expect(await run(removeServers({ rows: [{ id: 1 }, { id: 2 }], actor }))).toBeUndefined()
    expect(names()).toEqual(['c'])
  })

  test('refuses all of them for one that is connected, which goes alone with its endpoint', async () => {
    const { run, names, gateway } = await setUp()
    expect(await run(removeServers({ rows: [{ id: 1 }, { id: 3 }], actor }))).toMatchObject({
      _tag: 'ServersConnected',
      servers: [{ id: 3, fields: [] }],
    })
    expect([names(), gateway.endpoints.size]).toEqual([['a', 'b', 'c'], 1])
    expect(await run(removeServers({ rows: [{ id: 3 }], actor }))).toBeUndefined()
    expect([names(), gateway.endpoints.size]).toEqual([['a', 'b'], 0])
  })
})
