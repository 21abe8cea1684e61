import { Runs } from '@netbox-pbs/core/ports'
import { Effect, type Layer, Logger, LogLevel, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { endLostJobs, startRun } from '../src/index.ts'
import type { FleetServer } from './memory/fleet.ts'
import { type MemorySystem, run, synced } from './memory/system.ts'

const pbsA: FleetServer = {
  name: 'pbs-a',
  endpointId: 1,
  datastores: { tank: { namespaces: { '': { 'vm/1': [1, 2] }, a: { 'vm/2': [1] } } } },
}
const pbsB: FleetServer = { ...pbsA, name: 'pbs-b', endpointId: 2 }

describe('jobs that are in no queue any more', () => {
  const end = (
    system: MemorySystem,
    ...before: ReadonlyArray<Effect.Effect<unknown, unknown, Layer.Layer.Success<MemorySystem['layer']>>>
  ) =>
    Effect.runPromise(
      Effect.gen(function* () {
        yield* Effect.all(before)
        yield* endLostJobs
        yield* TestClock.adjust('4 minutes')
        yield* endLostJobs
        const early = system.lastRun.status
        yield* TestClock.adjust('2 minutes')
        yield* endLostJobs
        return [early, system.lastRun.status]
      }).pipe(
        Effect.provide(system.layer),
        Effect.provide(TestContext.TestContext),
        Logger.withMinimumLogLevel(LogLevel.None),
        Effect.orDie,
      ),
    )
  const request = { resources: ['datastores'], servers: null, trigger: 'manual', user: 'admin' } as const

  test('end with a sentence when the process stopped before it queued them', async () => {
    const system = await synced(pbsA)
    const recorded = Effect.flatMap(Runs, (runs) => runs.create(request))
    expect(await end(system, recorded)).toEqual(['pending', 'failed'])
    expect(system.lastRun.error).toBe(
      'the job of the gateway: it was lost: the process that queued it stopped half-way, or the queue has lost it; start the sync again',
    )
  })

  test('are followed by the end of a run that is still open', async () => {
    const system = await synced(pbsA)
    const ended = Effect.gen(function* () {
      const runs = yield* Runs
      const { id } = yield* runs.create(request)
      yield* runs.expectJobs({ id, serverIds: [null] })
      yield* runs.startJob({ id, serverId: null })
      yield* runs.endJob({ id, serverId: null, error: null })
    })
    expect(await end(system, ended)).toEqual(['running', 'completed'])
  })

  test('end when the queue has lost them, and those that are there go on', async () => {
    const system = await synced(pbsA, pbsB)
    const lose = Effect.sync(() => void system.queue.jobs.splice(0, 1))
    expect(await end(system, startRun(request), lose)).toEqual(['pending', 'pending'])
    expect(system.record(2).expected).toEqual(new Set([system.world.serverId('pbs-b')]))
    await run(system.work)
    expect(system.lastRun.error).toContain('the job of pbs-a: it was lost')
  })
})
