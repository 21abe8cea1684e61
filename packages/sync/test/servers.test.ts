import type { EndpointTest } from '@netbox-pbs/core/ports'
import { Effect, Layer, Redacted, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { changeServer, connectServer, removeServer, testServer } from '../src/index.ts'
import { MemoryGateway } from './memory/endpoints.ts'
import { inventoryWritesLayer } from './memory/inventory-writes.ts'
import { MemorySystem } from './memory/system.ts'
import type { Row, World } from './memory/world.ts'

const secret = Redacted.make('a-secret')
const actor = { user: 'ada', requestId: '7d1c1c1e-0000-4000-8000-000000000001' }
const pin = Array(32).fill('aa').join(':')
const values = { name: 'pbs-a', host: 'a.example.org', token_id: 'reader@pbs!netbox' }

/** Main, the gateway, and a way to run a use case against both. */
const setUp = (failsAt = 0) => {
  const system = new MemorySystem()
  const { world } = system
  const gateway = new MemoryGateway()
  const layer = Layer.mergeAll(system.layer, inventoryWritesLayer(world, failsAt), gateway.layer)
  const run = <A, E extends { readonly _tag: string }>(
    effect: Effect.Effect<A, E, Layer.Layer.Success<typeof layer>>,
    later = 0,
  ) =>
    Effect.runPromise(
      TestClock.adjust(later).pipe(
        Effect.zipRight(effect),
        Effect.match({ onSuccess: (value) => value, onFailure: ({ _tag }) => _tag }),
        Effect.provide(layer),
        Effect.provide(TestContext.TestContext),
      ),
    )
  return { system, world, gateway, run }
}
const only = (world: World): Row => {
  const [row, ...others] = world.all('server')
  if (row === undefined || others.length > 0) throw new Error('not exactly one server')
  return row
}
/** A connected server. */
const connected = async (failsAt = 0) => {
  const system = setUp(failsAt)
  await system.run(connectServer({ values, secret, actor }))
  return { ...system, id: only(system.world).id }
}

describe('connecting a new server', () => {
  test('makes its endpoint while the row waits as pending, then confirms it', async () => {
    const { world, gateway, run } = setUp()
    const seen: Array<unknown> = []
    gateway.onCall = () => seen.push(world.all('server').length === 0 ? 0 : only(world).facts['endpoint_state'])
    expect(await run(connectServer({ values, secret, actor }))).toMatchObject({ id: 1, test: { error: null } })
    expect(seen).toEqual([0, 'pending'])
    expect(only(world).facts).toMatchObject({ ...values, port: 8007, endpoint_id: 1, endpoint_state: 'connected' })
    expect([...gateway.endpoints.values()]).toMatchObject([{ id: 1, ...values, verify_ssl: true }])
    expect(gateway.secrets.get(1)).toBe(secret)
    expect(world.actors).toEqual([actor, actor])
  })

  test('without a secret makes it inventory only, and asks no gateway', async () => {
    const { world, gateway, run } = setUp()
    gateway.mode = 'down'
    await run(connectServer({ values, secret: null, actor }))
    expect(only(world).facts).toMatchObject({ endpoint_id: null, endpoint_state: 'none' })
  })

  test.each([
    ['down', 'GatewayUnavailable'],
    ['refuses', 'EndpointRejected'],
  ] as const)('keeps nothing when the gateway is %s', async (mode, failure) => {
    const { world, gateway, run } = setUp()
    gateway.mode = mode
    expect(await run(connectServer({ values, secret, actor }))).toBe(failure)
    expect(world.all('server')).toEqual([])
    expect(gateway.endpoints.size).toBe(0)
  })

  test('keeps nothing when the row cannot be confirmed', async () => {
    const { world, gateway, run } = setUp(1)
    expect(await run(connectServer({ values, secret, actor }))).toBe('StoreFailed')
    expect(world.all('server')).toEqual([])
    expect(gateway.endpoints.size).toBe(0)
  })

  test('of a name that is taken does not reach the gateway', async () => {
    const { gateway, run } = await connected()
    expect(await run(connectServer({ values, secret, actor }))).toBe('KeyTaken')
    expect(gateway.endpoints.size).toBe(1)
  })
})

describe('changing a connected server', () => {
  test('changes its endpoint first, while the row waits', async () => {
    const { world, gateway, run, id } = await connected()
    const seen: Array<unknown> = []
    gateway.onCall = () => seen.push(only(world).facts['endpoint_state'])
    const other = Redacted.make('another')
    await run(changeServer({ id, values: { name: 'pbs-b', port: 443 }, secret: other, actor }))
    expect(seen).toEqual(['connected', 'pending'])
    expect(only(world).facts).toMatchObject({ name: 'pbs-b', port: 443, endpoint_id: 1, endpoint_state: 'connected' })
    expect(gateway.endpoints.get(1)).toMatchObject({ name: 'pbs-b', port: 443, host: values.host })
    expect(gateway.secrets.get(1)).toBe(other)
  })

  test.each([
    ['down', 'GatewayUnavailable'],
    ['refuses', 'EndpointRejected'],
  ] as const)('leaves the row as it was when the gateway is %s', async (mode, failure) => {
    const { world, gateway, run, id } = await connected()
    const before = only(world).facts
    gateway.mode = mode
    expect(await run(changeServer({ id, values: { host: 'b.example.org', version: '5' }, secret, actor }))).toBe(
      failure,
    )
    expect(only(world).facts).toEqual(before)
    expect(gateway.endpoints.get(1)).toMatchObject({ host: values.host })
  })

  test('asks no gateway when its endpoint has nothing of it', async () => {
    const { world, gateway, run, id } = await connected()
    gateway.mode = 'down'
    await run(changeServer({ id, values: { ...values, version: '5' }, secret: null, actor }))
    expect(only(world).facts).toMatchObject({ version: '5', endpoint_state: 'connected' })
  })

  test.each([
    { host: 'b.example.org' },
    { port: 443 },
    { token_id: 'a@pbs!b' },
    { fingerprint: '' },
    { verify_ssl: false },
  ])('sends its secret nowhere else: %j needs it in the same change', async (change) => {
    const { world, gateway, run, id } = await connected()
    await run(changeServer({ id, values: { fingerprint: pin }, secret: null, actor }))
    const before = only(world).facts
    gateway.onCall = () => {
      throw new Error('the gateway was asked')
    }
    expect(await run(changeServer({ id, values: change, secret: null, actor }))).toBe('EndpointRejected')
    expect(only(world).facts).toEqual(before)
    gateway.onCall = () => undefined
    expect(await run(changeServer({ id, values: change, secret, actor }))).toMatchObject({ error: null })
    expect(gateway.endpoints.get(1)).toMatchObject(change)
  })

  test('whose endpoint is gone asks for the secret, and connects again with one', async () => {
    const { world, gateway, run, id } = await connected()
    gateway.endpoints.clear()
    expect(await run(changeServer({ id, values: { fingerprint: pin }, secret: null, actor }))).toBe('EndpointRejected')
    expect(only(world).facts).toMatchObject({ port: 8007, endpoint_state: 'connected' })
    await run(changeServer({ id, values: { port: 443 }, secret, actor }))
    expect(only(world).facts).toMatchObject({ port: 443, endpoint_id: 2, endpoint_state: 'connected' })
  })

  test('to a taken name fails before the gateway is asked', async () => {
    const { world, gateway, run, id } = await connected()
    await run(connectServer({ values: { ...values, name: 'pbs-b' }, secret, actor }))
    gateway.onCall = () => {
      throw new Error('the gateway was asked')
    }
    expect(await run(changeServer({ id, values: { name: 'pbs-b' }, secret: null, actor }))).toBe('KeyTaken')
    expect(world.rows.server.get(id)?.facts).toMatchObject({ name: 'pbs-a', endpoint_state: 'connected' })
  })

  test('that cannot be confirmed leaves it pending, for the next sync to settle', async () => {
    const { world, gateway, run, id } = await connected(3)
    expect(await run(changeServer({ id, values: { port: 443 }, secret, actor }))).toBe('StoreFailed')
    expect(only(world).facts).toMatchObject({ port: 443, endpoint_id: 1, endpoint_state: 'pending' })
    expect(gateway.endpoints.get(1)).toMatchObject({ port: 443 })
    expect(await run(changeServer({ id, values: { port: 8007 }, secret, actor }), 119_999)).toBe('ServerPending')
    expect(await run(removeServer({ id, actor }), 119_999)).toBe('ServerPending')
    expect(await run(changeServer({ id, values: { port: 8007 }, secret, actor }), 120_000)).toMatchObject({
      error: null,
    })
    expect(only(world).facts).toMatchObject({ port: 8007, endpoint_state: 'connected' })
  })
})

describe('giving a secret to a server that is inventory only', () => {
  test('connects it, and it is never pending', async () => {
    const { world, gateway, run } = setUp()
    await run(connectServer({ values, secret: null, actor }))
    const seen: Array<unknown> = []
    gateway.onCall = () => seen.push(only(world).facts['endpoint_state'])
    await run(changeServer({ id: only(world).id, values: { port: 443 }, secret, actor }))
    expect(seen).toEqual(['none', 'none'])
    expect(only(world).facts).toMatchObject({ port: 443, endpoint_id: 1, endpoint_state: 'connected' })
  })

  test.each(['down', 'refuses'] as const)('leaves it as it was when the gateway is %s', async (mode) => {
    const { world, gateway, run } = setUp()
    await run(connectServer({ values, secret: null, actor }))
    const before = only(world).facts
    gateway.mode = mode
    await run(changeServer({ id: only(world).id, values: { port: 443 }, secret, actor }))
    expect(only(world).facts).toEqual(before)
  })
})

describe('a connection that comes with its secret is tried before it is stored', () => {
  const bad: ReadonlyArray<readonly [EndpointTest['code'], boolean, string]> = [
    ['unreachable', false, 'host'],
    ['timeout', false, 'host'],
    ['tls_fingerprint_mismatch', false, 'fingerprint'],
    ['tls_untrusted', false, 'fingerprint'],
    ['unauthorized', true, 'token_secret'],
    ['forbidden', true, 'token_id'],
    [null, false, '__all__'],
  ]
  const found = (code: EndpointTest['code'], reachable: boolean) => ({
    ...{ reachable, code, version: null, error: `it is ${code}`, presented_fingerprint: pin },
    acl_commands: code === 'forbidden' ? ['grant it'] : [],
  })

  test.each(bad)('%s: a new server is not made', async (code, reachable, field) => {
    const { world, gateway, run } = setUp()
    gateway.tested = found(code, reachable)
    const failure = await run(Effect.catchAll(connectServer({ values, secret, actor }), Effect.succeed))
    expect(failure).toMatchObject({ _tag: 'ServerNotUsable', field, message: expect.stringContaining(`it is ${code}`) })
    if (code === 'forbidden') expect(failure).toMatchObject({ message: 'it is forbidden Run on the server: grant it' })
    expect([world.all('server').length, gateway.endpoints.size, world.actors.length]).toEqual([0, 0, 0])
    expect(await run(connectServer({ values, secret, actor, untested: true }))).toEqual({ id: 1, test: null })
    expect(only(world).facts).toMatchObject({ endpoint_state: 'connected' })
    expect(world.healthOf('pbs-a')).toBeNull()
  })

  test.each(bad)('%s: a server keeps the connection that it has', async (code, reachable) => {
    const { world, gateway, run, id } = await connected()
    const before = only(world).facts
    gateway.tested = found(code, reachable)
    const change = { id, values: { host: 'b.example.org' }, secret: Redacted.make('new'), actor }
    expect(await run(changeServer(change))).toBe('ServerNotUsable')
    expect([only(world).facts, gateway.endpoints.get(1)?.host, gateway.secrets.get(1)]).toEqual([
      before,
      values.host,
      secret,
    ])
    expect(await run(changeServer({ ...change, untested: true }))).toBeNull()
    expect(gateway.endpoints.get(1)).toMatchObject({ host: 'b.example.org' })
  })

  test('what is missing in part is told, and the server made', async () => {
    const { world, gateway, run } = setUp()
    gateway.tested = { missing_privileges: ['Tape.Audit on /tape'], version: '4.2.3' }
    expect(await run(connectServer({ values, secret, actor }))).toMatchObject({
      test: { error: null, missing_privileges: ['Tape.Audit on /tape'] },
    })
    expect(only(world).facts).toMatchObject({ version: '4.2.3' })
    expect(world.healthOf('pbs-a')).toMatchObject({ status: 'reachable', tls_state: 'ok', last_error: '' })
  })
})

describe('a contact outside of runs', () => {
  test('what a test says of the token stays until a test says otherwise, or does not know', async () => {
    const { gateway, world, run, id } = await connected()
    for (const [found, kept] of [
      ['it may write', 'it may write'],
      [null, 'it may write'],
      ['', ''],
    ] as const) {
      gateway.tested = { token_warning: found }
      await run(testServer({ id, actor }))
      expect(world.healthOf('pbs-a')).toMatchObject({ status: 'reachable', token_warning: kept })
    }
  })

  const bad = { code: 'tls_fingerprint_mismatch', error: `expected ${pin}`, reachable: false } as const
  const isFailing = async () => {
    const one = await connected()
    one.gateway.tested = bad
    await one.run(testServer({ id: one.id, actor }))
    expect(one.world.healthOf('pbs-a')).toMatchObject({
      status: 'unreachable',
      tls_state: 'fingerprint_changed',
      last_error: bad.error,
      consecutive_failures: 0,
    })
    expect(one.system.runs.size).toBe(0)
    one.gateway.tested = {}
    return one
  }
  const well = { status: 'reachable', tls_state: 'ok', last_error: '', last_error_code: '' }
  const reads = { servers: ['pbs-a'], resources: ['datastores', 'snapshots', 'jobs', 'tasks'], user: actor.user }

  test('a test that goes well mends the health and reads the server, once', async () => {
    const { system, world, run, id } = await isFailing()
    await run(testServer({ id, actor }))
    expect(world.healthOf('pbs-a')).toMatchObject(well)
    await run(testServer({ id, actor }))
    expect([...system.runs.values()].map(({ run: made }) => made)).toMatchObject([reads])
  })

  test.each([
    ['a new pin', { values: { fingerprint: pin }, secret: null }],
    ['a new secret', { values: {}, secret: Redacted.make('another') }],
    ['another host with its secret', { values: { host: 'b.example.org' }, secret }],
  ])('%s does so too', async (_, change) => {
    const { system, world, run, id } = await isFailing()
    expect(await run(changeServer({ id, ...change, actor }))).toMatchObject({ error: null })
    expect(world.healthOf('pbs-a')).toMatchObject(well)
    expect([...system.runs.values()].map(({ run: made }) => made)).toMatchObject([reads])
  })

  test('a pin that is still wrong is stored and said', async () => {
    const { system, world, gateway, run, id } = await isFailing()
    gateway.tested = { ...bad, error: 'expected bb' }
    await run(changeServer({ id, values: { fingerprint: pin.replaceAll('a', 'b') }, secret: null, actor }))
    expect(world.healthOf('pbs-a')).toMatchObject({ status: 'unreachable', last_error: 'expected bb' })
    expect(system.runs.size).toBe(0)
  })

  test('another name, or no change of the connection, sends no request', async () => {
    const { system, gateway, run, id } = await isFailing()
    gateway.tested = bad
    for (const change of [{ name: 'pbs-b' }, { sync_schedule: '' }])
      expect(await run(changeServer({ id, values: change, secret: null, actor }))).toBeNull()
    expect(system.runs.size).toBe(0)
  })
})

describe('removing a server', () => {
  test('removes its endpoint too', async () => {
    const { world, gateway, run, id } = await connected()
    await run(removeServer({ id, actor }))
    expect([world.all('server').length, gateway.endpoints.size]).toEqual([0, 0])
  })

  test('whose endpoint is gone already is fine', async () => {
    const { world, gateway, run, id } = await connected()
    gateway.endpoints.clear()
    expect(await run(removeServer({ id, actor }))).toBeUndefined()
    expect(world.all('server')).toEqual([])
  })

  test('deletes nothing when the gateway does not answer', async () => {
    const { world, gateway, run, id } = await connected()
    gateway.mode = 'down'
    expect(await run(removeServer({ id, actor }))).toBe('GatewayUnavailable')
    expect(world.all('server')).toHaveLength(1)
  })

  test('that is not there', async () => {
    expect(await setUp().run(removeServer({ id: 9, actor }))).toBe('ServerNotFound')
  })
})

describe('testing a server', () => {
  test('by id asks for its endpoint', async () => {
    const { run, id } = await connected()
    expect(await run(testServer({ id, actor }))).toMatchObject({ reachable: true })
  })

  test('that is inventory only needs its secret', async () => {
    const { world, run } = setUp()
    await run(connectServer({ values, secret: null, actor }))
    expect(await run(testServer({ id: only(world).id, actor }))).toBe('EndpointRejected')
    const input = {
      ...values,
      port: 8007,
      fingerprint: '',
      verify_ssl: true,
      timeout_seconds: 30,
      token_secret: secret,
    }
    expect(await run(testServer(input))).toMatchObject({ reachable: true })
  })
})
