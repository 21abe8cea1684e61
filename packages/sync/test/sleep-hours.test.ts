import { Effect, TestClock, TestContext } from 'effect'
import { expect, test } from 'vitest'
import { startDue } from '../src/index.ts'
import { failedFrame } from './memory/fleet.ts'
import { type MemorySystem, run, synced } from './memory/system.ts'

const fleet = ['pbs-a', 'pbs-b'].map((name, nth) => ({
  ...{ name, endpointId: nth + 1 },
  datastores: { tank: { namespaces: { '': { 'vm/100': [1, 2] } } } },
}))

/** Two servers, of which the first sleeps from one o'clock to five and is down then. */
const sleeping = async (): Promise<MemorySystem> => {
  const system = await synced(...fleet)
  const row = system.world.rows.server.get(system.world.serverId('pbs-a'))
  Object.assign(row ?? {}, { timing: { ...row?.timing, sleep_hours: '01:00-05:00' } })
  system.requests.length = 0
  system.contacts.length = 0
  return system
}

/** The scheduled runs of these minutes, each worked to its end. */
const looks = (system: MemorySystem, ...at: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    for (const minute of at) {
      yield* TestClock.setTime(minute * 60_000)
      yield* startDue({ watchedSince: 0 })
      yield* system.work
    }
  }).pipe(Effect.provide(system.layer), Effect.provide(TestContext.TestContext), Effect.orDie, run)

const asked = (system: MemorySystem, server: string) =>
  system.requests.filter(({ servers }) => servers === undefined || servers.includes(server))

test('a scheduled run leaves a server alone while it sleeps, and says until when', async () => {
  const system = await sleeping()
  await looks(system, 0, 60)
  expect(system.runs.size).toBe(2)
  expect(asked(system, 'pbs-a')).toEqual([])
  expect(asked(system, 'pbs-b').length).toBeGreaterThan(3)
  const record = system.record(2)
  expect(record.run).toMatchObject({ status: 'completed', trigger: 'schedule', error: '' })
  expect(record.ends.filter((end) => end.startsWith('datastores') || end.startsWith('namespaces'))).toEqual([
    'datastores of pbs-a: skipped: asleep',
    'namespaces of pbs-a/tank: skipped: asleep',
  ])
  expect(record.outcomes.find(({ outcome }) => outcome === 'skipped')?.reason?.message).toBe(
    'not asked for: pbs-a sleeps until 1970-01-01T05:00:00Z, by its sleep_hours; a run that a user starts asks it now',
  )
  expect(system.world.where('snapshot', { server: system.world.serverId('pbs-a') })).toHaveLength(2)
  expect(system.world.healthOf('pbs-a')?.status).toBe('reachable')
  expect(system.contacts.filter((contact) => contact.startsWith('pbs-a'))).toEqual([])

  await looks(system, 300)
  expect(asked(system, 'pbs-a').length).toBeGreaterThan(3)
  expect(system.lastRun).toMatchObject({ status: 'completed', trigger: 'schedule' })
})

test('a run that a user starts still asks it', async () => {
  const system = await sleeping()
  system.listing = {
    failure: (scope) =>
      scope.resource !== 'servers' && scope.server === 'pbs-a' ? [failedFrame(scope, 'unreachable')] : null,
  }
  const manual = Effect.zipRight(TestClock.setTime(2 * 3_600_000), system.sync(['datastores']))
  const record = await run(Effect.provide(manual, TestContext.TestContext))
  expect(record.ends).toEqual(['datastores of pbs-a: failed: unreachable'])
  expect(asked(system, 'pbs-a').length).toBeGreaterThan(0)
})
