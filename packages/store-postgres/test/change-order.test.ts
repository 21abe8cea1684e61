import type { LoggedChange } from '@netbox-pbs/core'
import { type Branches, type ChangeSets, Changes, type Inventory, type InventoryWrites } from '@netbox-pbs/core/ports'
import { create, jobFacts, landOnce, may, snapshotFacts, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Fiber, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { personsBranch } from './contract/branch-edits.ts'
import { merge, newFleet, rows } from './contract/branching.ts'
import { ada } from './contract/edits.ts'
import { engines } from './engines.ts'

let requests = 8_000_000
const aRequest = () => ada(++requests)

describe.each(engines)('the order of the change log on $engine', ({ engine, migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(
    effect: Effect.Effect<A, E, Branches | ChangeSets | Changes | InventoryWrites | Database | Inventory>,
  ) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const comment = (id: number, text: string) =>
    Effect.flatMap(writesOneByOne, (writes) =>
      writes.update({ model: 'datastore', id, values: { comment: text }, actor: aRequest() }),
    )
  const reached = Effect.map(
    rows<{ id: number }>('select coalesce(max(id), 0) as id from changes'),
    ([row]) => row?.id ?? 0,
  )
  /** A reader that asks again and again for what followed the last entry it has seen. */
  const follower = (start: number) => {
    const seen: Array<LoggedChange> = []
    const ask = Effect.gen(function* () {
      const changes = yield* Changes
      for (;;) {
        const afterId = seen.at(-1)?.id ?? start
        const page = yield* changes.list({ filter: { afterId }, limit: 1000, offset: 0 })
        if (page.rows.length === 0) return
        seen.push(...page.rows)
      }
    })
    return { seen, ask }
  }
  /** Another session that locks a row of main until it is released. */
  const hold = (table: string, id: number) =>
    Effect.acquireRelease(
      Effect.gen(function* () {
        const { driver } = yield* Database
        if (driver._tag !== 'pg') return yield* Effect.dieMessage('needs a server')
        const client = yield* Effect.promise(() => driver.pool.connect())
        yield* Effect.promise(() => client.query('begin'))
        yield* Effect.promise(() => client.query(`select from ${table} where id = ${id} for update`))
        const waited = Effect.promise(() =>
          client.query('select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))'),
        ).pipe(Effect.repeat({ until: ({ rowCount }) => (rowCount ?? 0) > 0 }))
        return { client, waited }
      }),
      ({ client }) => Effect.sync(() => client.release(true)),
    )

  test('is that in which a row was changed, whoever began first', async () => {
    await run(
      Effect.gen(function* () {
        const { tank } = yield* newFleet('ordered')
        const start = yield* reached
        const write = (nth: number) => comment(tank.id, `write ${nth}`)
        yield* Effect.all(
          Array.from({ length: 48 }, (_, nth) => write(nth)),
          { concurrency: 8 },
        )
        const changes = yield* Changes
        const { rows: newestFirst } = yield* changes.list({ filter: { objectIds: [tank.id] }, limit: 100, offset: 0 })
        const entries = newestFirst.filter(({ id, model }) => id > start && model === 'datastore').toReversed()
        expect(entries).toHaveLength(48)
        const was = entries.slice(1).map(({ before }) => before?.['comment'])
        expect(was).toEqual(entries.slice(0, -1).map(({ after }) => after?.['comment']))
        // As text, a whole second comes after its fractions.
        const times = entries.map(({ time }) => Date.parse(time))
        expect(times).toEqual(times.toSorted((a, b) => a - b))
        expect(yield* rows(`select comment from datastores where id = ${tank.id}`)).toEqual([
          { comment: entries.at(-1)?.after?.['comment'] },
        ])
      }),
    )
  })

  test('lets a reader who follows it see every entry once, while a merge of 3 000 rows is held open', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank } = yield* newFleet('followed')
        const other = yield* newFleet('followed-other')
        yield* landOnce({ resource: 'jobs', server: 'followed', job_type: 'verify' }, [
          { model: 'job', changes: [create('job', jobFacts(server, 'last'))] },
        ])
        const [job] = yield* rows<{ id: number }>(`select id from jobs where server_id = ${server}`)
        const branch = yield* personsBranch('followed')
        const seconds = (nth: number) => new Date(Date.UTC(2026, 5, 1) + nth * 1000).toISOString().replace('.000', '')
        yield* branch.create(
          'snapshot',
          ...Array.from({ length: 3000 }, (_, nth) => ({ ...snapshotFacts(server, '100', seconds(nth)) })),
        )
        yield* branch.update('job', job?.id ?? 0, { comment: 'merged' })
        yield* branch.update('datastore', tank.id, { comment: 'merged' })
        const start = yield* reached
        const { seen, ask } = follower(start)
        const late = Effect.all([comment(other.tank.id, 'late'), comment(other.vault.id, 'late')], {
          concurrency: 'unbounded',
        })
        if (engine === 'pg') {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const { client, waited } = yield* hold('jobs', job?.id ?? 0)
              const merging = yield* Effect.fork(merge(branch.id))
              yield* waited
              yield* late
              yield* ask
              // The merge has lower ids, and no reader has seen them.
              expect(seen).toEqual([])
              yield* Effect.promise(() => client.query('commit'))
              yield* Fiber.join(merging)
            }),
          )
        } else {
          yield* Effect.all([merge(branch.id), late, ask], { concurrency: 'unbounded' })
        }
        yield* comment(other.tank.id, 'afterwards')
        yield* ask
        const all = yield* rows<{ id: number }>(`select id from changes where id > ${start} order by id`)
        expect(all.length).toBeGreaterThan(3000)
        expect(seen.map(({ id }) => id)).toEqual(all.map(({ id }) => id))
      }),
    )
  })

  test('keeps no reader waiting for a transaction that was rolled back', async () => {
    await run(
      Effect.gen(function* () {
        const { tank } = yield* newFleet('rolled-back')
        const branch = yield* personsBranch('rolled-back')
        yield* branch.update('datastore', tank.id, { comment: 'tried' })
        const { seen, ask } = follower(yield* reached)
        yield* merge(branch.id, false)
        yield* comment(tank.id, 'written')
        yield* ask
        expect(seen.map(({ after }) => after)).toEqual([{ comment: 'written' }])
      }),
    )
  })

  test('leads from an entry to the branch whose merge landed it, and back', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, vault, snapshot } = yield* newFleet('led')
        const start = yield* reached
        const branch = yield* personsBranch('led')
        yield* branch.make('datastore', { server, name: 'made', path: '/m' })
        yield* branch.update('datastore', tank.id, { comment: 'merged' })
        yield* branch.update('snapshot', snapshot(0).id, { backup_id: '101' })
        yield* branch.remove('datastore', vault.id)
        yield* branch.remove('snapshot', snapshot(1).id)
        yield* merge(branch.id)
        yield* comment(tank.id, 'meantime')
        const changes = yield* Changes
        const { rows: landed } = yield* changes.list({ filter: { branchIds: [branch.id] }, limit: 50, offset: 0 })
        const all = yield* changes.list({ filter: { afterId: start }, limit: 50, offset: 0 })
        expect(all.rows.map((entry) => entry.branch)).toEqual([
          ...landed.map(() => ({ id: branch.id, name: 'led' })),
          null,
        ])
        expect(landed.map(({ action, model }) => `${action} ${model}`).toSorted()).toEqual([
          'create branch',
          'create datastore',
          'create group',
          'delete datastore',
          'delete snapshot',
          'update branch',
          'update datastore',
          'update snapshot',
        ])
      }),
    )
  })

  test('tells of a deletion since when the row was there and who had made it', async () => {
    await run(
      Effect.gen(function* () {
        const { server, vault, snapshot } = yield* newFleet('gone')
        const writes = yield* writesOneByOne
        const [made = 0] = yield* writes.create({
          model: 'snapshot',
          rows: [{ ...snapshotFacts(server, '100', may(20)) }],
          actor: aRequest(),
        })
        const removed = [
          ['datastore', vault.id, 'listed'],
          ['snapshot', snapshot(0).id, 'listed'],
          ['snapshot', made, 'manual'],
          ['server', server, 'listed'],
        ] as const
        for (const [model, id, presence] of removed) {
          const [row] = yield* rows<{ created: string }>(`select created from ${model}s where id = ${id}`)
          yield* writes.remove({ model, id, actor: aRequest() })
          const changes = yield* Changes
          const filter = { models: [model], objectIds: [id], actions: ['delete'] } as const
          const { rows: entries } = yield* changes.list({ filter, limit: 1, offset: 0 })
          expect(entries[0]?.before).toMatchObject({ created: row?.created, presence })
        }
      }),
    )
  })
})
