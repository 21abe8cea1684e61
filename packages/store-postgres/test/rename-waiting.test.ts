import { type Branches, type ChangeSets, type Inventory, type InventoryWrites, Schedules } from '@netbox-pbs/core/ports'
import { change, landOnce, rootOf, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Option, Stream } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { actor, answer, check, merge, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

describe.each(engines)('what waits survives a rename of its server, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(
    effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Schedules | Database | Inventory>,
  ) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const update = (model: 'server' | 'snapshot', id: number, values: Record<string, string>) =>
    Effect.flatMap(writesOneByOne, (writes) => writes.update({ model, id, values, actor }))

  test.each(['before the answer', 'in the branch', 'in main'] as const)(
    'a decision against the source, renamed %s',
    async (point) => {
      await run(
        Effect.gen(function* () {
          let name = `pinned ${point}`
          const { server, snapshot } = yield* newFleet(name)
          const at = (reached: typeof point) =>
            Effect.gen(function* () {
              if (reached !== point) return
              name = `${name} renamed`
              yield* update('server', server, { name })
            })
          const { id, facts } = snapshot(0)
          const branch = yield* newBranch(name)
          const reported = (main: string, source: string) => [
            {
              model: 'snapshot' as const,
              changes: [change('snapshot', id, { ...facts, comment: main }, { comment: source })],
            },
          ]
          yield* stageOnce(branch.id, rootOf(name), reported('', 'source'))
          yield* update('snapshot', id, { comment: 'person' })
          yield* check(branch.id)
          yield* at('before the answer')
          yield* answer(branch.id, { choice: 'main' })
          yield* at('in the branch')
          yield* merge(branch.id)
          yield* at('in main')
          const row = rows(`select comment, overrides from snapshots where id = ${id}`)
          expect(yield* row).toEqual([{ comment: 'person', overrides: { comment: 'source' } }])
          // Another edit of the row, and a landing that says nothing of it, leave the decision.
          yield* landOnce(rootOf(name), [{ model: 'snapshot', changes: [] }])
          expect(yield* row).toEqual([{ comment: 'person', overrides: { comment: 'source' } }])
        }),
      )
    },
  )

  test('the timing of a server: its mark, the runs that it dropped, and when the next one is due', async () => {
    await run(
      Effect.gen(function* () {
        const { server } = yield* newFleet('timed')
        yield* rows(`update servers set endpoint_state = 'connected', sync_interval_minutes = 60 where id = ${server}`)
        const schedules = yield* Schedules
        const mark = { timing: '60 minutes', countedFrom: '2026-05-01T02:00:00Z' }
        yield* schedules.watch({ serverId: server, ...mark })
        const later = { ...mark, countedFrom: '2026-05-01T03:00:00Z' }
        expect(yield* schedules.drop({ serverId: server, mark, countedFrom: later.countedFrom })).toEqual(
          Option.some(1),
        )
        yield* update('server', server, { name: 'timed renamed' })
        const listed = yield* Stream.runCollect(schedules.servers())
        expect([...listed].filter(({ id }) => id === server)).toMatchObject([{ name: 'timed renamed', mark: later }])
        const request = { resources: ['datastores'], servers: null, trigger: 'schedule', user: '' } as const
        const due = { serverId: server, mark: later, countedFrom: '2026-05-01T04:00:00Z' }
        expect(Option.getOrThrow(yield* schedules.start(due, request)).dropped).toBe(1)
      }),
    )
  })
})
