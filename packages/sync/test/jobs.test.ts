import { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Fiber, Option } from 'effect'
import { describe, expect, test } from 'vitest'
import { runJob, startRun } from '../src/index.ts'
import { type FleetServer, failedFrame, groupFrame } from './memory/fleet.ts'
import { cut, MemorySystem, run, synced } from './memory/system.ts'

const pbsA: FleetServer = {
  name: 'pbs-a',
  endpointId: 1,
  datastores: { tank: { namespaces: { '': { 'vm/1': [1, 2] }, a: { 'vm/2': [1] } } } },
}
const pbsB: FleetServer = { ...pbsA, name: 'pbs-b', endpointId: 2 }

/** Starts a run and takes its first job. */
const claimFirst = (system: MemorySystem, resources: ReadonlyArray<'snapshots' | 'datastores'> = ['snapshots']) =>
  Effect.gen(function* () {
    yield* startRun({ resources, servers: null, trigger: 'manual', user: 'admin' })
    const claimed = yield* system.queue.claim
    return Option.getOrThrow(claimed)
  })

describe('a source that stops in a way that may pass', () => {
  test('is tried again, and the run ends as if nothing had been', async () => {
    const system = await synced(pbsA)
    let left = 2
    const { frames } = system
    system.frames = (request) => (request.resource === 'datastores' && left-- > 0 ? [cut(true)] : frames(request))
    const record = await run(system.sync())
    expect(system.queue.events.filter((event) => event.startsWith('retry'))).toHaveLength(2)
    expect(record.ends).toEqual([])
    expect(record.run).toMatchObject({ status: 'completed', error: '' })
  })

  test('is recorded by the last try', async () => {
    const system = await synced(pbsA)
    system.frames = () => [cut(true)]
    const record = await run(system.sync(['datastores']))
    expect(record.run).toMatchObject({ status: 'failed', error: 'the stream was cut off' })
    expect(record.ends).toEqual(['datastores of pbs-a: failed: cut_off'])
  })

  test('leaves the servers alone when the gateway cannot be asked', async () => {
    const system = await synced(pbsA)
    system.frames = () => [cut(true)]
    const record = await run(system.sync())
    expect(record.run).toMatchObject({ status: 'failed', error: 'the stream was cut off' })
    expect(record.ends).toEqual(['servers: failed: cut_off'])
    expect(system.world.all('server').map(({ facts }) => facts['endpoint_state'])).toEqual(['connected'])
  })
})

describe('a job', () => {
  test('of a lost worker is done again: what landed stays, the old one lands nothing more', async () => {
    const system = await synced(pbsA)
    system.fleet = [
      { ...pbsA, datastores: { tank: { namespaces: { '': { 'vm/1': [1, 2, 3] }, a: { 'vm/2': [1, 2] } } } } },
    ]
    const outcomes = await run(
      Effect.gen(function* () {
        const claimed = yield* claimFirst(system)
        const reached = yield* Effect.makeLatch()
        const goOn = yield* Effect.makeLatch()
        // The first attempt stops within the second scope, while another worker does the whole job.
        let passed = 0
        system.listing = {
          between: Effect.suspend(() => (++passed === 3 ? Effect.zipRight(reached.open, goOn.await) : Effect.void)),
        }
        const first = yield* Effect.fork(runJob(claimed))
        yield* reached.await
        system.listing = {}
        const second = yield* runJob({ ...claimed, attempt: 2 })
        yield* goOn.open
        return [yield* Fiber.join(first), second]
      }).pipe(Effect.provide(system.layer), Effect.orDie),
    )
    expect(outcomes).toMatchObject([{ _tag: 'lost' }, { _tag: 'done', run: { status: 'completed' } }])
    expect(system.world.all('snapshot')).toHaveLength(5)
  })

  test('interrupted in a scope drops it', async () => {
    const system = await synced(pbsA)
    system.fleet = [{ ...pbsA, datastores: { tank: { namespaces: { '': { 'vm/1': [] }, a: {} } } } }]
    await run(
      Effect.gen(function* () {
        const claimed = yield* claimFirst(system)
        const reached = yield* Effect.makeLatch()
        system.listing = {
          failure: ({ resource }) => (resource === 'snapshots' ? [Effect.zipRight(reached.open, Effect.never)] : null),
        }
        const job = yield* Effect.fork(runJob(claimed))
        yield* reached.await
        yield* Fiber.interrupt(job)
      }).pipe(Effect.provide(system.layer), Effect.orDie),
    )
    expect(system.log.open.size).toBe(0)
    expect(system.world.all('snapshot')).toHaveLength(3)
  })

  test('whose server was deleted since ends with an error', async () => {
    const system = await synced(pbsA)
    const outcome = await run(
      Effect.gen(function* () {
        const claimed = yield* claimFirst(system)
        for (const { id } of system.world.all('server')) system.world.remove('server', id)
        return yield* runJob(claimed)
      }).pipe(Effect.provide(system.layer), Effect.orDie),
    )
    expect(outcome).toMatchObject({
      run: { status: 'failed', error: 'pbs-a is no longer in the inventory: nothing of it was synced' },
    })
  })

  test('whose server the gateway no longer knows says so', async () => {
    const system = await synced(pbsA)
    system.fleet = []
    const record = await run(system.sync(['datastores']))
    expect(record.ends).toEqual(['datastores of pbs-a: failed: protocol'])
    expect(record.outcomes[0]?.reason?.message).toContain('its endpoint is gone or disabled')
    expect(system.world.all('datastore')).toHaveLength(1)
  })

  test('is given back when the database does not answer, and records it at the last try', async () => {
    const system = await synced(pbsA)
    const down = new StoreFailed({ reason: 'unavailable', operation: 'reading the settings' })
    const outcomes = await run(
      Effect.gen(function* () {
        const claimed = yield* claimFirst(system)
        system.settings.failure = Option.some(down)
        return [yield* runJob(claimed), yield* runJob({ ...claimed, last: true })]
      }).pipe(Effect.provide(system.layer), Effect.orDie),
    )
    expect(outcomes).toMatchObject([
      { _tag: 'retry', reason: down.message },
      { _tag: 'done', run: { status: 'failed', error: down.message } },
    ])
  })
})

describe('a run over several servers', () => {
  test('lands the others when one cannot be reached', async () => {
    const system = await synced(pbsA, pbsB)
    system.fleet = [
      { ...pbsA, answers: false },
      { ...pbsB, datastores: { tank: { namespaces: { '': { 'vm/1': [1] }, a: { 'vm/2': [1] } } } } },
    ]
    system.listing = {
      failure: (scope) => ('server' in scope && scope.server === 'pbs-a' ? [failedFrame(scope, 'unreachable')] : null),
    }
    const record = await run(system.sync(['snapshots']))
    expect(record.ends).toEqual([
      'namespaces of pbs-a/tank: failed: unreachable',
      'snapshots of pbs-a/tank: failed: unreachable',
      'snapshots of pbs-a/tank/a: failed: unreachable',
      'snapshots of pbs-b/tank: landed',
    ])
    expect(record.run.status).toBe('incomplete')
    expect(system.contacts.slice(-2)).toEqual(['pbs-a unreachable', 'pbs-b reachable'])
  })
})

describe('what a run notices', () => {
  test('is recorded: warnings of the source, and finished backups that changed', async () => {
    const system = await synced(pbsA)
    const scope = { resource: 'snapshots', server: 'pbs-a', datastore: 'tank', namespace: '' } as const
    const manifest_files = [{ filename: 'drive.img.fidx', size: 1, crypt_mode: 'none' }]
    system.listing = {
      failure: (opened) =>
        opened.resource === 'snapshots' && opened.namespace === ''
          ? [
              { _tag: 'warning', scope, code: 'unknown_value', message: 'a backup type of the future' },
              groupFrame('pbs-a', 'tank', '', 'vm/1', [1, 2], { size_bytes: 7, manifest_files }),
              { _tag: 'complete', scope, count: 2, visibility: null },
            ]
          : null,
    }
    const record = await run(system.sync())
    expect(record.run).toMatchObject({ status: 'completed', counts: { updated: 2 } })
    expect(record.warnings.map(({ code, count }) => [code, count])).toEqual([
      ['immutable_changed', 2],
      ['immutable_changed', 2],
      ['unknown_value', 1],
    ])
  })

  test('of a large namespace is appended in bounded parts', async () => {
    const system = new MemorySystem()
    const hours = Array.from({ length: 1500 }, (_, hour) => hour)
    const groups = { 'vm/1': hours, 'vm/2': hours }
    system.fleet = [{ name: 'pbs-a', endpointId: 1, datastores: { tank: { namespaces: { '': groups } } } }]
    await run(system.sync())
    expect(system.world.all('snapshot')).toHaveLength(3000)
    expect(system.log.largestAppend).toBe(2000)
  })
})
