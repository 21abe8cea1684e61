import {
  EndpointNameTaken,
  EndpointStore,
  GatewayKeys,
  type SecretBox,
  SecretUnreadable,
  type StoredEndpoint,
} from '@netbox-pbs/core/ports'
import { postgresUrl } from '@netbox-pbs/testing'
import { Effect, Either, Layer, ManagedRuntime, Option, Redacted } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { checkGatewaySecretKey, GatewayDatabase, migrateGateway } from '../src/gateway-store/gateway-database.ts'
import { gatewayStoreLayer } from '../src/gateway-store/gateway-store.ts'
import { migrate } from '../src/migrations/migrate.ts'
import { pglite } from './engines.ts'
import { boxWith } from './secret-boxes.ts'

const own = Layer.orDie(
  Layer.unwrapEffect(
    Effect.map(
      Effect.promise(() => postgresUrl()),
      (url) => GatewayDatabase.layerPg({ url: Redacted.make(url), poolSize: 4 }),
    ),
  ),
)
/** The embedded database with the inventory's tables and the gateway's. */
const shared = Layer.merge(GatewayDatabase.layerShared, Layer.effectDiscard(migrate)).pipe(
  Layer.provide(pglite.empty),
  Layer.orDie,
)

describe.each([
  { where: "the inventory's embedded database", database: shared },
  { where: 'a PostgreSQL database of its own', database: own },
])('the gateway store in $where', ({ database }) => {
  const runtime = ManagedRuntime.make(
    gatewayStoreLayer.pipe(Layer.provideMerge(boxWith(1)), Layer.provideMerge(database)),
  )
  const run = <A, E>(effect: Effect.Effect<A, E, EndpointStore | GatewayKeys | GatewayDatabase | SecretBox>) =>
    runtime.runPromise(effect)
  const endpoints = <A, E>(use: (endpoints: typeof EndpointStore.Service) => Effect.Effect<A, E>) =>
    run(Effect.either(Effect.flatMap(EndpointStore, use)))
  const keys = <A, E>(use: (keys: typeof GatewayKeys.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(GatewayKeys, use))
  const statement = (text: string) =>
    run(Effect.flatMap(GatewayDatabase, (gateway) => gateway.query('testing', (db) => sql.raw(text).execute(db))))

  beforeAll(async () => {
    expect(await run(migrateGateway)).toEqual(['0001_endpoints'])
    expect(await Promise.all([run(migrateGateway), run(migrateGateway)])).toEqual([[], []])
  })
  beforeEach(async () => {
    await statement('delete from gateway.endpoints')
    await statement('delete from gateway.keys')
  })
  afterAll(() => runtime.dispose())

  const facts = (name: string): Omit<StoredEndpoint, 'id'> => ({
    name,
    host: 'pbs.example.com',
    port: 8007,
    token_id: 'sync@pbs!netbox',
    fingerprint: null,
    verify_ssl: true,
    enabled: true,
    timeout_seconds: 30,
  })
  const create = async (name: string, secret = 'hunter2'): Promise<StoredEndpoint> =>
    Either.getOrThrow(await endpoints((e) => e.create({ ...facts(name), token_secret: Redacted.make(secret) })))
  const secretOf = async (id: number) =>
    Either.map(await endpoints((e) => e.secret({ id })), Option.map(Redacted.value))

  describe('EndpointStore', () => {
    test('stores an endpoint, its secret sealed', async () => {
      const made = await create('pbs-a')
      expect(made).toEqual({ id: expect.any(Number), ...facts('pbs-a') })
      expect(await endpoints((e) => e.get({ id: made.id }))).toEqual(Either.right(Option.some(made)))
      expect(await secretOf(made.id)).toEqual(Either.right(Option.some('hunter2')))
      expect(JSON.stringify((await statement('select * from gateway.endpoints')).rows)).not.toContain('hunter2')
    })

    test('lists by id, a page at a time', async () => {
      const made = [await create('z'), await create('a'), await create('m')]
      expect(await endpoints((e) => e.list({ limit: 10, offset: 0 }))).toEqual(Either.right(made))
      expect(await endpoints((e) => e.list({ limit: 1, offset: 1 }))).toEqual(Either.right(made.slice(1, 2)))
    })

    test('gives a name to one endpoint', async () => {
      await create('pbs-a')
      const other = await create('pbs-b')
      const taken = Either.left(new EndpointNameTaken({ name: 'pbs-a' }))
      expect(await endpoints((e) => e.create({ ...facts('pbs-a'), token_secret: Redacted.make('x') }))).toEqual(taken)
      expect(await endpoints((e) => e.update({ id: other.id, change: { name: 'pbs-a' } }))).toEqual(taken)
      expect(await endpoints((e) => e.get({ id: other.id }))).toEqual(Either.right(Option.some(other)))
      const attempts = await endpoints((e) =>
        Effect.all(
          Array.from({ length: 6 }, () =>
            Effect.either(e.create({ ...facts('pbs-c'), token_secret: Redacted.make('x') })),
          ),
          { concurrency: 'unbounded' },
        ),
      )
      expect(Either.getOrThrow(attempts).filter(Either.isRight)).toHaveLength(1)
    })

    test('keeps a secret to the server it was given for', async () => {
      const made = await create('pbs-a')
      const pinned = { fingerprint: 'AB:CD' }
      await endpoints((e) => e.update({ id: made.id, change: pinned }))
      const changes = [
        { host: 'x' },
        { port: 1 },
        { token_id: 'a@pbs!b' },
        { fingerprint: null },
        { verify_ssl: false },
      ]
      for (const change of changes) {
        const fields = Object.keys(change)
        expect(await endpoints((e) => e.update({ id: made.id, change }))).toMatchObject({ left: { fields } })
      }
      expect(await endpoints((e) => e.get({ id: made.id }))).toEqual(Either.right(Option.some({ ...made, ...pinned })))
      for (const change of changes) {
        const known = { ...change, token_secret: Redacted.make('known') }
        expect(await endpoints((e) => e.update({ id: made.id, change: known }))).toMatchObject({
          right: Option.some(change),
        })
      }
      expect(await secretOf(made.id)).toEqual(Either.right(Option.some('known')))
    })

    test('judges a change by what is stored when it is made, also when another comes in between', async () => {
      for (let turn = 0; turn < 20; turn++) {
        const made = await create(`pbs-${turn}`)
        // The first moves the server with a new secret; the second repeats the host that it saw,
        // and does not know the secret.
        await endpoints((e) =>
          Effect.all(
            [
              Effect.either(e.update({ id: made.id, change: { host: 'moved', token_secret: Redacted.make('new') } })),
              Effect.either(e.update({ id: made.id, change: { host: made.host, timeout_seconds: 5 } })),
            ],
            { concurrency: 'unbounded' },
          ),
        )
        expect(await endpoints((e) => e.get({ id: made.id }))).toMatchObject({ right: { value: { host: 'moved' } } })
      }
    })

    test('changes what is named and keeps the rest, the secret too', async () => {
      const made = await create('pbs-a')
      const change = { fingerprint: 'AB:CD', timeout_seconds: 5, enabled: false }
      expect(await endpoints((e) => e.update({ id: made.id, change }))).toEqual(
        Either.right(Option.some({ ...made, ...change })),
      )
      expect(await secretOf(made.id)).toEqual(Either.right(Option.some('hunter2')))
      await endpoints((e) =>
        e.update({ id: made.id, change: { fingerprint: null, token_secret: Redacted.make('new one') } }),
      )
      expect(await secretOf(made.id)).toEqual(Either.right(Option.some('new one')))
      expect(await endpoints((e) => e.get({ id: made.id }))).toEqual(
        Either.right(Option.some({ ...made, ...change, fingerprint: null })),
      )
    })

    test('removes an endpoint once, and never uses its id again', async () => {
      const { id } = await create('pbs-a')
      expect(await endpoints((e) => e.remove({ id }))).toEqual(Either.right(true))
      expect(await endpoints((e) => e.remove({ id }))).toEqual(Either.right(false))
      expect(await endpoints((e) => e.get({ id }))).toEqual(Either.right(Option.none()))
      expect(await endpoints((e) => e.update({ id, change: { port: 1 } }))).toEqual(Either.right(Option.none()))
      expect(await secretOf(id)).toEqual(Either.right(Option.none()))
      expect((await create('pbs-a')).id).toBeGreaterThan(id)
    })

    test('opens no secret that was moved to another row', async () => {
      const [a, b] = [await create('pbs-a', 'secret of a'), await create('pbs-b', 'secret of b')]
      await statement(`
        update gateway.endpoints set token_secret = (select token_secret from gateway.endpoints where id = ${a.id})
        where id = ${b.id}`)
      expect(await secretOf(b.id)).toEqual(Either.left(new SecretUnreadable({ keyName: 'NETBOX_PBS_SECRET_KEY' })))
    })
  })

  describe('GatewayKeys', () => {
    test('knows the keys that were added, each once', async () => {
      expect(await keys((k) => k.any())).toBe(false)
      await keys((k) => k.add({ hash: 'h1', label: 'one' }))
      await keys((k) => k.add({ hash: 'h1', label: 'again' }))
      await keys((k) => k.add({ hash: 'h2', label: 'two' }))
      expect(await keys((k) => k.any())).toBe(true)
      expect(await Promise.all(['h1', 'h2', 'h3'].map((hash) => keys((k) => k.known({ hash }))))).toEqual([
        true,
        true,
        false,
      ])
      expect((await statement('select label from gateway.keys order by label')).rows).toEqual([
        { label: 'one' },
        { label: 'two' },
      ])
    })

    test('takes exactly one first key of many at once', async () => {
      const added = await keys((k) =>
        Effect.forEach([1, 2, 3, 4, 5, 6], (n) => k.addFirst({ hash: `h${n}`, label: '' }), {
          concurrency: 'unbounded',
        }),
      )
      expect(added.filter((first) => first)).toHaveLength(1)
      expect((await statement('select from gateway.keys')).rows).toHaveLength(1)
      expect(await keys((k) => k.addFirst({ hash: 'late', label: '' }))).toBe(false)
    })
  })

  test('checkGatewaySecretKey tells another key than the first', async () => {
    const check = (fill: number) =>
      run(Effect.either(checkGatewaySecretKey).pipe(Effect.provide(Layer.fresh(boxWith(fill)))))
    expect([await check(1), await check(1)]).toEqual([Either.void, Either.void])
    expect(await check(2)).toEqual(Either.left(new SecretUnreadable({ keyName: 'NETBOX_PBS_SECRET_KEY' })))
  })
})
