import { formatDay } from '@netbox-pbs/core'
import { expect, test } from 'vitest'
import { type MemorySystem, run, synced } from './memory/system.ts'

const fleet = [
  {
    name: 'pbs-a',
    endpointId: 1,
    jobs: { verify: ['v-1'] },
    datastores: { tank: { namespaces: { '': { 'vm/100': [1, 2] } } } },
  },
  { name: 'pbs-b', endpointId: 2, datastores: { tank: { namespaces: { '': { 'vm/200': [1] } } } } },
]
const empty = [
  { name: 'pbs-a', endpointId: 1, datastores: { tank: { namespaces: { '': {} } } } },
  { name: 'pbs-b', endpointId: 2, datastores: { tank: { namespaces: { '': { 'vm/200': [1, 2] } } } } },
]

const spend = (system: MemorySystem, server: string, requests: number) => {
  const cost = { requests, bytes: 0, millis: 0, most_in_flight: 1 }
  system.costs.set(system.world.serverId(server), new Map([[formatDay(Date.now()), cost]]))
}
const asked = (system: MemorySystem) =>
  system.requests.map(({ resource, servers }) => `${resource} ${servers ?? 'all'}`)

test('a server at its ceiling is not asked, its rows stay, and the run says which setting it is', async () => {
  const system = await synced(...fleet)
  system.fleet = empty
  system.set({ pbs_requests_per_day: 100 })
  spend(system, 'pbs-a', 100)
  system.requests.length = 0
  const record = await run(system.sync())
  expect(asked(system).filter((request) => request.includes('pbs-a'))).toEqual([])
  expect(asked(system)[0]).toBe('servers pbs-b')
  expect(record.ends.filter((end) => end.includes('pbs-a'))).toEqual([
    'datastores of pbs-a: skipped: request_limit',
    'namespaces of pbs-a/tank: skipped: request_limit',
    'verify jobs of pbs-a: skipped: request_limit',
    'prune jobs of pbs-a: skipped: request_limit',
    'gc jobs of pbs-a: skipped: request_limit',
    'sync jobs of pbs-a: skipped: request_limit',
    'tape jobs of pbs-a: skipped: request_limit',
  ])
  expect(record.run).toMatchObject({
    status: 'incomplete',
    error: expect.stringMatching(
      /^not asked for: pbs-a was sent the 100 requests of this day that pbs_requests_per_day allows; it is asked again after 2\d{3}-\d\d-\d\dT00:00:00Z, or when the setting is raised$/,
    ),
  })
  expect(system.world.where('snapshot', { server: system.world.serverId('pbs-a') })).toHaveLength(2)
  expect(system.world.where('snapshot', { server: system.world.serverId('pbs-b') })).toHaveLength(2)

  system.set({ pbs_requests_per_day: 101 })
  const next = await run(system.sync())
  expect(next.run.status).not.toBe('failed')
  expect(next.run.error).toBe('')
  expect(asked(system)).toContain('datastores pbs-a')
})

test('the source is told what is left, and what it leaves out is skipped too', async () => {
  const system = await synced(...fleet)
  system.set({ pbs_requests_per_day: 100 })
  spend(system, 'pbs-a', 93)
  const frames = system.frames
  system.frames = (request) =>
    request.resource === 'snapshots' && request.servers?.[0] === 'pbs-a'
      ? [
          { _tag: 'scope', scope: { resource: 'namespaces', server: 'pbs-a', datastore: 'tank' } },
          {
            _tag: 'failed',
            scope: { resource: 'namespaces', server: 'pbs-a', datastore: 'tank' },
            ...{ code: 'request_limit', message: 'most_requests', retryable: false },
          },
          { _tag: 'end' },
        ]
      : frames(request)
  system.requests.length = 0
  const record = await run(system.sync())
  expect(
    system.requests.map(({ resource, servers, most_requests }) => [resource, servers?.[0], most_requests]),
  ).toContainEqual(['snapshots', 'pbs-a', 7])
  expect(record.ends).toEqual(['namespaces of pbs-a/tank: skipped: request_limit'])
  const skipped = record.outcomes.find(({ outcome }) => outcome === 'skipped')
  expect(skipped?.reason?.message).toContain('pbs_requests_per_day')
  expect(record.run).toMatchObject({ status: 'incomplete', error: skipped?.reason?.message })
  expect(system.contacts.filter((contact) => contact.includes('unreachable'))).toEqual([])
})

test('without a ceiling no request is limited, and yesterday does not count', async () => {
  const system = await synced(...fleet)
  expect(system.requests.filter(({ most_requests }) => most_requests !== undefined)).toEqual([])
  system.set({ pbs_requests_per_day: 5 })
  const cost = { requests: 5, bytes: 0, millis: 0, most_in_flight: 1 }
  system.costs.set(system.world.serverId('pbs-a'), new Map([[formatDay(Date.now() - 86_400_000), cost]]))
  expect((await run(system.sync())).run.status).toBe('completed')
})
