import { Retention } from '@netbox-pbs/core/ports'
import { create, databaseFaults, landOnce, may, postgresRelay, postgresUrl, snapshotFacts } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Redacted } from 'effect'
import { expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { retentionLayer } from '../src/retention/retention.ts'
import { merge, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { migratedTemplate } from './engines.ts'

const lost = databaseFaults.find(({ title }) => title === 'cut before the answer arrives')

/** A branch of a run that adds a snapshot to a server of its own, ready to merge. */
const branchOf = (name: string) =>
  Effect.gen(function* () {
    const fleet = yield* newFleet(name)
    const { id } = yield* newBranch(name)
    const added = create('snapshot', snapshotFacts(fleet.server, '100', may(9)))
    yield* stageOnce(id, fleet.snapshots, [{ model: 'snapshot', changes: [added] }])
    return { id, fleet }
  })

const staged = rows<{ count: number }>('select count(*) as count from staged_snapshots')

test.each([
  ['run', () => landOnce({ resource: 'datastores', server: 'lost' }, [])],
  ['merge', () => Effect.flatMap(branchOf('next'), ({ id }) => merge(id))],
  ['removal of old records', () => Effect.flatMap(Retention, (retention) => retention.clearStaged())],
] as const)('the rows that a merge staged whose answer was lost are removed by the next %s', async (_, next) => {
  const relay = await postgresRelay(await postgresUrl(migratedTemplate))
  const database = Layer.orDie(Database.layerPg({ url: Redacted.make(relay.url), poolSize: 3, patienceMillis: 100 }))
  const runtime = ManagedRuntime.make(Layer.provideMerge(Layer.merge(inventoryLayer, retentionLayer), database))
  try {
    await runtime.runPromise(
      Effect.gen(function* () {
        const whole = yield* branchOf('whole')
        relay.watch()
        yield* merge(whole.id)
        const commit = relay.statements().findIndex(({ text }) => /^commit$/i.test(text)) + 1
        expect(yield* staged).toEqual([{ count: 0 }])

        const { id, fleet } = yield* branchOf('lost')
        if (lost !== undefined) relay.watch({ at: commit, fault: lost })
        expect(yield* Effect.flip(merge(id))).toMatchObject({ reason: 'unknown' })
        expect(relay.struck()).toBe(true)
        expect(yield* rows(`select count(*) as count from snapshots where server_id = ${fleet.server}`)).toEqual([
          { count: 4 },
        ])
        expect(yield* staged).toEqual([{ count: 1 }])
        yield* next()
        expect(yield* staged).toEqual([{ count: 0 }])
      }),
    )
  } finally {
    await runtime.dispose()
    await relay.stop()
  }
})
