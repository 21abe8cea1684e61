import { neverContacted, type ServerHealth } from '@netbox-pbs/core'
import type { SourceErrorCode } from '@netbox-pbs/core/ports'
import { Effect, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { type FleetServer, failedFrame, type Item } from './memory/fleet.ts'
import { cut, type MemorySystem, run, synced } from './memory/system.ts'

const pbsA: FleetServer = {
  name: 'pbs-a',
  endpointId: 1,
  datastores: { tank: { namespaces: { '': { 'vm/1': [1, 2] }, a: { 'vm/2': [1] } } } },
}
const children = ['datastores', 'snapshots', 'jobs'] as const
const shown = '22:22'

const health = (system: MemorySystem, name = 'pbs-a') => system.world.healthOf(name)
const setHealth = (system: MemorySystem, change: Partial<ServerHealth>): void =>
  void system.world.health.set(system.world.serverId('pbs-a'), { ...neverContacted, ...change })
const requested = (system: MemorySystem) => system.requests.map(({ resource }) => resource)

/** Every scope of the server fails with a code; the servers scope says so too. */
const failing = (system: MemorySystem, code: SourceErrorCode, servers: FleetServer = pbsA): void => {
  system.fleet = [{ ...servers, failure: { code, message: `${code} of the test`, presented_fingerprint: shown } }]
  system.listing = {
    failure: (scope) =>
      'server' in scope ? [{ ...failedFrame(scope, code), presentedFingerprint: shown } as Item] : null,
  }
}
const wellAgain = (system: MemorySystem): void => {
  system.fleet = [pbsA]
  system.listing = {}
}

describe('the health of a server', () => {
  test('keeps what the list of servers measured while its job read', async () => {
    const system = await synced(pbsA)
    setHealth(system, { status: 'reachable', status_since: '2026-05-01T00:00:00Z' })
    const { frames } = system
    system.frames = (request) => {
      const landed = Effect.sync(() => setHealth(system, { ...health(system), latency_ms: 7 }))
      return [landed, ...frames(request)]
    }
    await run(system.sync(['snapshots']))
    expect(health(system)).toMatchObject({ status: 'reachable', latency_ms: 7 })
  })

  test('is counted up run by run, and cleared by the first that reads it', async () => {
    const system = await synced(pbsA)
    failing(system, 'unreachable')
    const record = await run(
      Effect.gen(function* () {
        yield* TestClock.adjust('1 hour')
        yield* system.sync()
        yield* TestClock.adjust('1 hour')
        return yield* system.sync()
      }).pipe(Effect.provide(TestContext.TestContext)),
    )
    expect(health(system)).toMatchObject({
      status: 'unreachable',
      status_since: '1970-01-01T01:00:00Z',
      consecutive_failures: 2,
      last_error_code: 'unreachable',
      last_error: 'unreachable of the test',
      last_error_at: '1970-01-01T02:00:00Z',
      failed_run: record.run.id,
    })
    wellAgain(system)
    await run(system.sync())
    expect(health(system)).toMatchObject({
      status: 'reachable',
      consecutive_failures: 0,
      last_error: '',
      failed_run: null,
    })
    expect(system.world.all('snapshot')).toHaveLength(3)
  })

  test('is told by a job alone, where the run does not list the servers', async () => {
    const system = await synced(pbsA)
    failing(system, 'timeout')
    await run(system.sync(['snapshots']))
    expect(health(system)).toMatchObject({ status: 'unreachable', consecutive_failures: 1, last_error_code: 'timeout' })
    wellAgain(system)
    await run(system.sync(['jobs']))
    expect(health(system)).toMatchObject({ status: 'reachable', consecutive_failures: 0, tls_state: 'ok' })
  })

  test('keeps what the gateway measured, through a job that measures nothing', async () => {
    const system = await synced({ ...pbsA, latencyMs: 12 })
    expect(health(system)).toMatchObject({ latency_ms: 12, status: 'reachable' })
  })

  test('is no worse for a gateway that cannot be asked', async () => {
    const system = await synced(pbsA)
    const before = health(system)
    system.frames = () => [cut(false)]
    await run(system.sync(['datastores']))
    expect(health(system)).toEqual(before)
  })

  test('is no worse for one store in trouble', async () => {
    const system = await synced(pbsA)
    system.listing = {
      failure: (scope) =>
        scope.resource === 'snapshots' && scope.namespace === 'a' ? [failedFrame(scope, 'protocol')] : null,
    }
    await run(system.sync(['snapshots']))
    expect(health(system)).toMatchObject({ status: 'reachable', consecutive_failures: 0 })
  })

  test('a revoked token leaves it reachable, and counts', async () => {
    const system = await synced(pbsA)
    failing(system, 'unauthorized')
    await run(system.sync())
    expect(health(system)).toMatchObject({
      status: 'reachable',
      consecutive_failures: 1,
      last_error_code: 'unauthorized',
      presented_fingerprint: '',
    })
  })
})

describe('a changed certificate', () => {
  test('is a state of its own, and one warning on the run', async () => {
    const system = await synced(pbsA)
    failing(system, 'tls_fingerprint_mismatch')
    const record = await run(system.sync(['datastores', 'jobs']))
    expect(health(system)).toMatchObject({ tls_state: 'fingerprint_changed', presented_fingerprint: shown })
    expect(record.warnings).toEqual([
      {
        scope: null,
        code: 'tls_fingerprint_mismatch',
        message: 'pbs-a: tls_fingerprint_mismatch of the test',
        count: 1,
      },
    ])
    expect((await run(system.sync())).warnings).toEqual([])
  })
})

describe('a server in trouble', () => {
  test('is not asked for the rest, which is named as failed', async () => {
    const system = await synced(pbsA)
    system.requests.length = 0
    failing(system, 'timeout')
    const record = await run(system.sync([...children]))
    // The smallest request is made once: it fails too.
    expect(requested(system)).toEqual(['datastores', 'servers'])
    expect(record.ends).toEqual([
      'datastores of pbs-a: failed: timeout',
      'namespaces of pbs-a/tank: failed: timeout',
      ...['verify', 'prune', 'gc', 'sync', 'tape'].map((type) => `${type} jobs of pbs-a: failed: timeout`),
    ])
    expect(record.outcomes.at(-1)?.reason?.message).toBe('not asked: timeout of the test')
    expect(record.run.status).toBe('failed')
  })

  test('is asked for the rest when something of it was read', async () => {
    const system = await synced(pbsA)
    system.requests.length = 0
    system.listing = {
      failure: (scope) =>
        scope.resource === 'snapshots' && scope.namespace === 'a' ? [failedFrame(scope, 'timeout')] : null,
    }
    const record = await run(system.sync([...children]))
    expect(requested(system)).toEqual(['datastores', 'snapshots', 'servers', 'jobs'])
    expect(record.ends).toEqual(['snapshots of pbs-a/tank/a: failed: timeout'])
    expect(health(system)).toMatchObject({ status: 'reachable' })
  })
})

describe.each(['timeout', 'unreachable'] as const)('a list that fails as %s, of a server that answers', (code) => {
  test.each([
    ['datastores', 'datastores of pbs-a', 1],
    // Lists that are read after it have shown that the server answers.
    ['namespaces', 'namespaces of pbs-a/tank', 0],
    ['tasks', 'tasks of pbs-a', 1],
  ] as const)(
    '%s: is its own trouble; the rest is read, and the server is reachable',
    async (resource, title, requested) => {
      const system = await synced({ ...pbsA, jobs: { verify: ['x'] } })
      system.fleet = [{ ...pbsA, jobs: { verify: ['x', 'y'] }, latencyMs: 7 }]
      system.listing = { failure: (scope) => (scope.resource === resource ? [failedFrame(scope, code)] : null) }
      system.requests.length = 0
      const record = await run(system.sync(['datastores', 'snapshots', 'jobs', 'tasks']))
      expect(record.ends).toEqual(expect.arrayContaining([`${title}: failed: ${code}`, 'verify jobs of pbs-a: landed']))
      expect(record.ends).toHaveLength(2)
      expect(record.run.status).toBe('incomplete')
      expect(health(system)).toMatchObject({ status: 'reachable', consecutive_failures: 0 })
      // A hung list is requested once, and the smallest request is sent to no other server.
      const requests = system.requests.map((request) => [request.resource, request.servers])
      const smallest = requests.filter(([what]) => what === 'servers')
      expect(smallest).toEqual(Array.from({ length: requested }, () => ['servers', ['pbs-a']]))
      expect(new Set(requests.map(String)).size).toBe(requests.length)
    },
  )

  test('is not asked about where the source heard the server answer after it', async () => {
    const system = await synced(pbsA)
    const reported = (scope: Parameters<typeof failedFrame>[0]): Item =>
      ({ ...failedFrame(scope, code), serverAnswers: true }) as Item
    system.listing = { failure: (scope) => ('server' in scope ? [reported(scope)] : null) }
    system.requests.length = 0
    const record = await run(system.sync([...children, 'tasks']))
    expect(requested(system)).toEqual([...children, 'tasks'])
    expect(record.run.status).toBe('failed')
    expect(health(system)).toMatchObject({ status: 'reachable', consecutive_failures: 0, last_error: '' })
  })

  test('is the trouble of the server when it comes after the last answer', async () => {
    const system = await synced(pbsA)
    failing(system, code)
    const { failure } = system.listing
    system.listing = {
      failure: (scope) =>
        scope.resource === 'datastores'
          ? [{ ...failedFrame(scope, code), serverAnswers: true } as Item]
          : (failure?.(scope) ?? null),
    }
    system.requests.length = 0
    await run(system.sync([...children, 'tasks']))
    expect(requested(system)).toEqual(['datastores', 'snapshots', 'servers'])
    expect(health(system)).toMatchObject({ status: 'unreachable', consecutive_failures: 1 })
  })

  test('leaves a server that this run has found silent alone', async () => {
    const system = await synced(pbsA)
    failing(system, code)
    system.requests.length = 0
    await run(system.sync())
    expect(requested(system)).toEqual(['servers', 'datastores'])
    expect(health(system)).toMatchObject({ status: 'unreachable', consecutive_failures: 1 })
  })

  test('is not asked about while the run is being cancelled', async () => {
    const system = await synced(pbsA)
    system.listing = { failure: (scope) => ('server' in scope ? [failedFrame(scope, code)] : null) }
    const { frames } = system
    system.frames = (request) => {
      if (request.resource !== 'servers') return frames(request)
      const record = system.record(system.runs.size)
      record.own = { ...record.own, cancel_requested: true }
      return [Effect.never]
    }
    const record = await run(system.sync([...children]))
    expect(record.run.status).toBe('cancelled')
    expect(requested(system).slice(-2)).toEqual(['datastores', 'servers'])
  })
})

test('all requests of a run carry its id, also those of another try and the question whether the server answers', async () => {
  const system = await synced(pbsA)
  system.requests.length = 0
  system.listing = {
    failure: ({ resource }) =>
      resource === 'datastores' ? [failedFrame({ resource, server: 'pbs-a' }, 'timeout')] : null,
  }
  const { frames } = system
  system.frames = (request) => (request.resource === 'jobs' ? [cut(true)] : frames(request))
  const record = await run(system.sync([...children]))
  const tries = ['datastores', 'servers', 'snapshots', 'jobs']
  expect(requested(system)).toEqual([...tries, ...tries, ...tries])
  expect(new Set(system.requests.map((request) => request.run))).toEqual(new Set([String(record.run.id)]))
})

describe('a server that keeps failing', () => {
  const long = { status: 'unreachable', consecutive_failures: 3, last_error_code: 'timeout', failed_run: 1 }

  test('is asked once a run: by the list of servers when that is part of it', async () => {
    const system = await synced(pbsA)
    setHealth(system, long)
    system.requests.length = 0
    failing(system, 'timeout')
    const record = await run(system.sync())
    expect(requested(system)).toEqual(['servers'])
    expect(record.run.status).toBe('incomplete')
    expect(record.outcomes.at(-1)?.reason).toEqual({
      code: 'timeout',
      message: 'not asked: 4 runs in a row have failed: timeout of the test',
    })
    expect(health(system)).toMatchObject({ consecutive_failures: 4, failed_run: record.run.id })
  })

  test('else by the first request of every run', async () => {
    const system = await synced(pbsA)
    setHealth(system, long)
    system.requests.length = 0
    failing(system, 'timeout')
    await run(Effect.zipRight(system.sync([...children]), system.sync([...children])))
    expect(requested(system)).toEqual(['datastores', 'datastores'])
    expect(health(system)).toMatchObject({ consecutive_failures: 5 })
  })

  test.each([
    [2, 'retry job-3', 3],
    [3, 'complete job-3', 1],
  ])('after %i failed runs a stream that breaks ends in %s', async (consecutive_failures, event, requests) => {
    const system = await synced(pbsA)
    setHealth(system, { ...long, consecutive_failures })
    system.requests.length = 0
    system.frames = () => [cut(true)]
    await run(system.sync(['datastores']))
    expect(system.queue.events.filter((text) => text.endsWith('job-3'))).toContain(event)
    expect(requested(system)).toHaveLength(requests)
  })

  test('is read whole by the run that finds it well again', async () => {
    const system = await synced(pbsA)
    setHealth(system, { ...long, consecutive_failures: 40 })
    wellAgain(system)
    const record = await run(system.sync())
    expect(record.run.status).toBe('completed')
    expect(requested(system).slice(-4)).toEqual(['servers', ...children])
    expect(health(system)).toMatchObject({ status: 'reachable', consecutive_failures: 0 })
  })
})

test.each([
  [true, { status: 'reachable', consecutive_failures: 0, tls_state: 'unknown', latency_ms: null }],
  [false, { status: 'unreachable', consecutive_failures: 1, last_error: 'the gateway could not reach it' }],
])('a source that says less is taken at its status: answers %s', async (answers, expected) => {
  const system = await synced({ ...pbsA, answers, datastores: {} })
  system.listing = {}
  await run(system.sync(['servers']))
  expect(health(system)).toMatchObject(expected)
})
