import { Breaches, Objectives } from '@netbox-pbs/core/ports'
import {
  create,
  groupFacts,
  landOnce,
  objectiveValues,
  remove,
  rootOf,
  serverFacts,
  serverIdOf,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000087' }
const began = Math.floor(Date.now() / 1000)
const ago = (hours: number) => new Date((began - hours * 3600) * 1000).toISOString().replace('.000Z', 'Z')

describe.each(engines)('breaches on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof inventoryLayer> | Database>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const rows = <A>(text: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
    )
  /** A server with a group whose objective is 26 hours, and its backups so many hours ago, read at a time. */
  const guest = (name: string, backups: ReadonlyArray<number>, read: number) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const server = (yield* serverIdOf(name)) ?? 0
      yield* landOnce(
        rootOf(name),
        [
          { model: 'group', changes: [create('group', groupFacts(server, '1'))] },
          { model: 'snapshot', changes: backups.map((at) => create('snapshot', snapshotFacts(server, '1', ago(at)))) },
        ],
        { at: ago(read) },
      )
      return server
    })
  const backup = (name: string, server: number, ...hours: ReadonlyArray<number>) =>
    landOnce(
      rootOf(name),
      [{ model: 'snapshot', changes: hours.map((at) => create('snapshot', snapshotFacts(server, '1', ago(at)))) }],
      { at: ago(0) },
    )
  const read = (name: string) => landOnce(rootOf(name), [], { at: ago(0) })
  const tick = Effect.flatMap(Objectives, (objectives) => objectives.judge())
  const breaches = (server: number) =>
    Effect.map(
      Effect.flatMap(Breaches, (one) =>
        one.list({ limit: 50, offset: 0, where: [{ field: 'server', lookup: 'exact', values: [server] }] }),
      ),
      (found) => found.rows.map(({ begin, end }) => [begin, end]),
    )

  test('begin when the objective has ended and the list was read since, and end with the next backup', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* guest('opens', [40], 30)
        yield* tick
        expect(yield* breaches(server)).toEqual([])
        yield* read('opens')
        yield* tick
        yield* tick
        expect(yield* breaches(server)).toEqual([[ago(14), null]])
        yield* backup('opens', server, 2)
        expect(yield* breaches(server)).toEqual([[ago(14), ago(2)]])
      }),
    )
  })

  test('of a time in which nothing was read are known with the backups after it', async () => {
    await run(
      Effect.gen(function* () {
        const values = objectiveValues('away', { server: 'away', hours: 26 })
        yield* Effect.flatMap(Objectives, (objectives) => objectives.create({ values, actor }))
        const server = yield* guest('away', [100], 90)
        yield* backup('away', server, 80, 50, 2)
        expect(yield* breaches(server)).toEqual([
          [ago(24), ago(2)],
          [ago(54), ago(50)],
        ])
        const fine = yield* guest('fine', [50], 45)
        yield* backup('fine', fine, 25, 2)
        expect(yield* breaches(fine)).toEqual([])
      }),
    )
  })

  test('end when the rule allows more, and stay when group and server have gone', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* guest('gone', [40], 0)
        yield* tick
        const objectives = yield* Objectives
        const { id } = yield* objectives.create({
          values: objectiveValues('gone', { server: 'gone', hours: 50 }),
          actor,
        })
        yield* tick
        const [first] = yield* breaches(server)
        expect(first).toEqual([ago(14), expect.any(String)])
        yield* objectives.remove({ id, actor, versions: undefined })
        yield* tick
        expect((yield* breaches(server)).filter(([, end]) => end === null)).toEqual([[ago(14), null]])
        const [snapshot] = yield* rows<{ id: number }>(`select id from snapshots where server_id = ${server}`)
        const [group] = yield* rows<{ id: number }>(`select id from groups where server_id = ${server}`)
        yield* landOnce(
          rootOf('gone'),
          [
            { model: 'group', changes: [remove('group', group?.id ?? 0, groupFacts(server, '1'))] },
            {
              model: 'snapshot',
              changes: [remove('snapshot', snapshot?.id ?? 0, snapshotFacts(server, '1', ago(40)))],
            },
          ],
          { at: ago(0) },
        )
        yield* rows(`delete from servers where id = ${server}`)
        yield* tick
        const found = yield* Effect.flatMap(Breaches, (one) => one.list({ limit: 50, offset: 0 }))
        expect(found.rows.filter(({ server: of }) => of.id === server)).toMatchObject([
          { group: null, server: { name: 'gone' }, backup_id: '1', objective: 26 * 3600, end: expect.any(String) },
          { group: null, server: { name: 'gone' }, backup_id: '1', end: expect.any(String) },
        ])
      }),
    )
  })
})
