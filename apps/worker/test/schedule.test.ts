import { followsSettings, formatTimestamp } from '@netbox-pbs/core'
import { MemorySystem } from '@netbox-pbs/sync/memory'
import { Effect, Fiber, TestClock, TestContext } from 'effect'
import { expect, test } from 'vitest'
import { keepSchedule } from '../src/keep-schedule.ts'

const names = Array.from({ length: 200 }, (_, n) => `pbs-${n}`)
const hour = 3_600_000

test('three workers that come back to two hundred servers sync each once, and not all at once', async () => {
  const system = new MemorySystem()
  system.set({ sync_interval_minutes: 0 })
  system.fleet = names.map((name, n) => ({ name, endpointId: n + 1, datastores: {} }))
  for (const [n, name] of names.entries()) {
    const row = system.world.connect(name, n + 1)
    row.timing = { ...followsSettings, sync_interval_minutes: 60 }
    system.marks.set(row.id, { timing: '60 minutes', countedFrom: formatTimestamp(0), dropped: 0 })
  }
  const started = await Effect.runPromise(
    Effect.gen(function* () {
      // Down for a hundred hours.
      yield* TestClock.setTime(100 * hour)
      const workers = yield* Effect.forEach([1, 2, 3], () => Effect.fork(keepSchedule))
      const perMinute: Array<number> = []
      for (let minute = 0; minute < 7; minute += 1) {
        const before = system.runs.size
        yield* TestClock.adjust('1 minutes')
        perMinute.push(system.runs.size - before)
      }
      yield* Fiber.interruptAll(workers)
      return perMinute
    }).pipe(Effect.provide(system.layer), Effect.provide(TestContext.TestContext)),
  )
  const caughtUp = [...system.runs.values()].map(({ run }) => run.servers?.[0])
  expect(caughtUp.toSorted()).toEqual(names.toSorted())
  expect(Math.max(...started)).toBeLessThan(70)
  expect(started.slice(0, 5).every((count) => count > 20)).toBe(true)
  // From then on each is due an hour after its own run, as they were spread.
  const timestamps = [...system.marks.values()].map(({ countedFrom }) => Date.parse(countedFrom))
  expect(new Set(timestamps).size).toBeGreaterThan(15)
  expect(Math.min(...timestamps)).toBeGreaterThanOrEqual(100 * hour)
})
