import { Effect, Option } from 'effect'
import { describe, expect, test } from 'vitest'
import { startRun } from '../src/index.ts'
import type { FleetServer } from './memory/fleet.ts'
import { MemorySystem, run, synced } from './memory/system.ts'
import { serverFacts } from './memory/world.ts'

const server = (name: string, endpointId: number): FleetServer => ({ name, endpointId, datastores: {} })
const start = (system: MemorySystem, request: Partial<Parameters<typeof startRun>[0]>) =>
  run(
    startRun({ resources: ['datastores'], servers: null, trigger: 'manual', user: 'admin', ...request }).pipe(
      Effect.either,
      Effect.provide(system.layer),
      Effect.orDie,
    ),
  )
const nameOf = (system: MemorySystem, serverId: number | null) =>
  serverId === null ? null : system.world.names.get(serverId)
const queued = (system: MemorySystem) =>
  system.queue.jobs.map(({ job }) => [nameOf(system, job.serverId), ...job.resources])

describe('a run', () => {
  test('of the servers begins with the gateway, in the order packages depend on each other', async () => {
    const system = await synced(server('pbs-a', 1))
    await start(system, { resources: ['jobs', 'servers'] })
    expect(queued(system)).toEqual([[null, 'servers', 'jobs']])
  })

  test('of anything else has a job for each connected server', async () => {
    const system = await synced(server('pbs-a', 1), server('pbs-b', 2))
    system.world.insert('server', serverFacts('pbs-x', null), 'manual')
    await start(system, { resources: ['datastores', 'jobs'] })
    expect(queued(system)).toEqual([
      ['pbs-a', 'datastores', 'jobs'],
      ['pbs-b', 'datastores', 'jobs'],
    ])
    expect(system.record(2).warnings).toEqual([])
  })

  test('of chosen servers leaves the others alone, and says which of them it cannot reach', async () => {
    const system = await synced(server('pbs-a', 1), server('pbs-b', 2))
    system.world.insert('server', serverFacts('pbs-x', null), 'manual')
    await start(system, { servers: ['pbs-b', 'pbs-x', 'pbs-y'] })
    expect(queued(system)).toEqual([['pbs-b', 'datastores']])
    expect(system.record(2).warnings.map(({ code }) => code)).toEqual(['server_not_connected', 'server_unknown'])
  })

  test('of a server that the gateway has just learned is queued when the servers have landed', async () => {
    const system = await synced(server('pbs-a', 1))
    system.fleet = [server('pbs-a', 1), server('pbs-new', 2)]
    const record = await run(system.sync(['servers', 'datastores'], ['pbs-new']))
    expect(record.ends).toEqual(['servers: landed'])
    expect(record.outcomes.map(({ scope }) => scope)).toEqual([
      { resource: 'servers' },
      { resource: 'datastores', server: 'pbs-new' },
    ])
    expect(record.warnings).toEqual([])
  })

  test('of chosen servers asks the gateway about those only', async () => {
    const system = await synced(server('pbs-a', 1), server('pbs-b', 2))
    system.requests.length = 0
    await run(system.sync(['servers', 'datastores'], ['pbs-a']))
    expect(system.requests).toEqual([
      { resource: 'servers', servers: ['pbs-a'], run: expect.any(String) },
      { resource: 'datastores', servers: ['pbs-a'], run: expect.any(String) },
    ])
  })

  test('has the job of a server that answers queued before a silent one of the list is heard of, and once', async () => {
    const system = await synced(server('pbs-a', 1), server('pbs-b', 2), server('pbs-c', 3))
    const { frames } = system
    let jobs: ReadonlyArray<unknown> = []
    system.fleet = [{ ...server('pbs-c', 3), answers: false }, server('pbs-renamed', 2), server('pbs-a', 1)]
    system.frames = function* (request) {
      for (const item of frames(request)) {
        if ('_tag' in item && item._tag === 'complete' && request.resource === 'servers')
          yield Effect.sync(() => {
            jobs = queued(system).slice(-1)
          })
        yield item
      }
    }
    const record = await run(system.sync(['servers', 'datastores']))
    expect(jobs).toEqual([['pbs-a', 'datastores']])
    // Whether the others are read is decided when the list has landed.
    const requested = system.requests.filter(({ resource }) => resource === 'datastores').slice(-3)
    expect(requested.map(({ servers }) => servers?.[0])).toEqual(['pbs-a', 'pbs-c', 'pbs-renamed'])
    expect(record.warnings.map(({ code }) => code)).toEqual(['server_renamed'])
  })

  test('that finds nothing to do is completed at once', async () => {
    const system = new MemorySystem()
    expect(await start(system, {})).toMatchObject({ _tag: 'Right', right: { status: 'completed', error: '' } })
  })

  test('of a schedule passes over a busy server, one of a person waits for it', async () => {
    const system = await synced(server('pbs-a', 1), server('pbs-b', 2))
    await start(system, { servers: ['pbs-a'] })
    await start(system, { trigger: 'schedule', user: '' })
    expect(queued(system).map(([name]) => name)).toEqual(['pbs-a', 'pbs-b'])
    expect(system.record(3).warnings.map(({ code }) => code)).toEqual(['server_busy'])
    await start(system, { servers: ['pbs-a'] })
    expect(queued(system).map(([name]) => name)).toEqual(['pbs-a', 'pbs-b', 'pbs-a'])
  })

  test('that a person asks for is taken before what a schedule has queued earlier, the gateway too', async () => {
    const system = await synced(server('pbs-a', 1), server('pbs-b', 2))
    await start(system, { trigger: 'schedule', user: '', servers: ['pbs-a'] })
    await start(system, { servers: ['pbs-b'] })
    await start(system, { resources: ['servers'] })
    const taken = await run(Effect.all([system.queue.claim, system.queue.claim, system.queue.claim]))
    expect(taken.map(Option.getOrThrow).map(({ job }) => nameOf(system, job.serverId))).toEqual([
      'pbs-b',
      null,
      'pbs-a',
    ])
  })

  test.each([
    [{ resources: [] }, 'resources'],
    [{ resources: ['jobs', 'jobs'] }, 'resources'],
    [{ servers: [] }, 'servers'],
    [{ servers: ['pbs-a', 'pbs-a'] }, 'servers'],
  ] as const)('asked for as %j is refused', async (request, field) => {
    const system = new MemorySystem()
    expect(await start(system, request)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'RunNotStarted', errors: { [field]: {} } },
    })
    expect(system.runs.size).toBe(0)
  })
})
