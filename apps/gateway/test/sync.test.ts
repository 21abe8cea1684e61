import { countSnapshots, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { Frame } from '@netbox-pbs/proxbox-client/contract'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, ended, ofKind, syncFrames } from './simulated.ts'

let pbs: Simulator
let gateway: RunningGateway

beforeAll(async () => {
  pbs = await startSimulator({ snapshots: 400, failureDelayMs: 30, now: 1_780_358_400 })
})
afterAll(() => pbs.close())
afterEach(() => gateway.stop())

const gatewayWith = async (change: Parameters<typeof addEndpoint>[2] = {}) => {
  gateway = await startGateway()
  return addEndpoint(gateway, pbs, change)
}

describe('a server that can be read wholly', () => {
  test('every frame is what the contract says, scopes never interleave, end is last', async () => {
    await gatewayWith()
    for (const resource of ['servers', 'datastores', 'snapshots', 'jobs', 'tasks']) {
      const frames = await syncFrames(gateway, resource)
      let open = false
      for (const frame of frames) {
        Frame.parse(frame)
        expect([resource, frame.frame, open]).toEqual([resource, frame.frame, !['scope', 'end'].includes(frame.frame)])
        if (frame.frame === 'scope') open = true
        if (frame.frame === 'complete' || frame.frame === 'failed') open = false
      }
      expect(frames.at(-1)?.frame).toBe('end')
      expect(ended(frames, 'failed')).toEqual([])
    }
  })

  test('all snapshots of all namespaces come, each count is right', async () => {
    await gatewayWith()
    const frames = await syncFrames(gateway, 'snapshots')
    const rows = ofKind(frames, 'group').reduce((sum, { snapshots }) => sum + snapshots.length, 0)
    expect(rows).toBe(countSnapshots(pbs.state))
    const counted = ofKind(frames, 'complete').filter(({ resource }) => resource === 'snapshots')
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(rows)
    expect(counted.length).toBe(ofKind(frames, 'namespace').length)
    expect(counted.length).toBe(pbs.state.datastores.flatMap(({ namespaces }) => namespaces).length)
    expect(ofKind(frames, 'end')[0]?.items).toEqual([
      {
        endpoint_id: 1,
        name: 'pbs-a',
        resource: 'snapshots',
        fetched: rows,
        written: 0,
        errors: [],
        netbox_branch_schema_id: null,
      },
    ])
  })

  test('groups are the same bytes again, although the server lists in another order each time', async () => {
    await gatewayWith()
    const lines = async () => {
      const response = await gateway.request('/pbs/sync/snapshots', {
        method: 'POST',
        headers: { accept: 'application/x-ndjson' },
      })
      return response.text()
    }
    const first = await lines()
    expect(await lines()).toBe(first)
    expect(first.split('\n').length).toBeGreaterThan(30)
  })

  test('datastores carry what four lists say', async () => {
    await gatewayWith()
    const frames = await syncFrames(gateway, 'datastores')
    const tank = ofKind(frames, 'datastore').find(({ name }) => name === 'tank')
    const state = pbs.state.datastores.find(({ name }) => name === 'tank')
    expect(tank).toMatchObject({
      server: 'pbs-a',
      path: state?.path,
      mount_status: 'nonremovable',
      backend_type: 'filesystem',
      observed: { total_bytes: state?.usage.total, used_bytes: state?.usage.used, avail_bytes: state?.usage.avail },
    })
    expect(ended(frames, 'complete')).toEqual(['datastores'])
  })

  test('jobs of all kinds, pushing ones too; gc jobs are those of all stores', async () => {
    await gatewayWith()
    const frames = await syncFrames(gateway, 'jobs')
    expect(ended(frames, 'complete')).toEqual(['jobs verify', 'jobs prune', 'jobs sync', 'jobs gc', 'jobs tape'])
    const ids = (type: string) => ofKind(frames, 'job').flatMap((job) => (job.job_type === type ? [job.job_id] : []))
    const { jobs, datastores } = pbs.state
    expect(ids('verify')).toEqual(jobs.verify.map(({ id }) => id).sort())
    expect(ids('prune')).toEqual(jobs.prune.map(({ id }) => id).sort())
    expect(ids('sync')).toEqual(jobs.sync.map(({ id }) => id).sort())
    expect(ids('tape')).toEqual(jobs.tape.map(({ id }) => id).sort())
    expect(ids('gc')).toEqual(datastores.map(({ name }) => name).sort())
  })

  test('scope_filter chooses scopes', async () => {
    await gatewayWith()
    expect(
      ended(await syncFrames(gateway, 'snapshots', { datastores: ['tank'], namespaces: ['', 'site-a'] }), 'complete'),
    ).toEqual(['snapshots tank', 'snapshots tank/site-a'])
    expect(ended(await syncFrames(gateway, 'jobs', { servers: ['pbs-a'], job_types: ['gc'] }), 'complete')).toEqual([
      'jobs gc',
    ])
    const missing = await gateway.request('/pbs/sync/jobs', { method: 'POST', json: { servers: ['pbs-z'] } })
    expect([missing.status, await missing.json()]).toEqual([
      422,
      {
        detail: [
          {
            type: 'request_validation_error',
            loc: ['body', 'servers'],
            msg: 'pbs-z is not an enabled endpoint of this gateway',
          },
        ],
      },
    ])
  })

  test('a namespace that is not there fails alone', async () => {
    await gatewayWith()
    const frames = await syncFrames(gateway, 'snapshots', { datastores: ['tank'], namespaces: ['nope', 'site-a'] })
    expect([ended(frames, 'failed'), ended(frames, 'complete')]).toEqual([
      ['snapshots tank/nope protocol'],
      ['snapshots tank/site-a'],
    ])
  })

  test('servers say version and time zone', async () => {
    const id = await gatewayWith()
    const [scope, server, complete] = await syncFrames(gateway, 'servers')
    expect(scope).toEqual({ frame: 'scope', resource: 'servers' })
    expect(server).toMatchObject({
      frame: 'server',
      server: 'pbs-a',
      name: 'pbs-a',
      endpoint_id: id,
      fingerprint: pbs.fingerprint,
      version: '4.2.3',
      timezone: pbs.state.timezone,
      observed: {
        status: 'reachable',
        last_seen_at: expect.stringMatching(/Z$/),
        latency_ms: expect.any(Number),
        clock_offset_seconds: expect.any(Number),
        tls_checked: true,
      },
    })
    expect(complete).toEqual({ frame: 'complete', resource: 'servers', count: 1, visibility: null })
  })

  test('as one document, and as counts', async () => {
    const id = await gatewayWith()
    const document = await gateway.request('/pbs/sync/datastores', { method: 'POST', json: {} })
    const envelope = (await document.json()) as { raw: Record<string, ReadonlyArray<unknown>> }
    const stores = pbs.state.datastores.length
    expect(Object.fromEntries(Object.entries(envelope.raw).map(([name, rows]) => [name, rows.length]))).toEqual({
      datastores: stores,
      complete: 1,
      failed: 0,
      warnings: 0,
    })
    const item = { endpoint_id: id, name: 'pbs-a', written: 0, errors: [], netbox_branch_schema_id: 'k3x9' }
    const counts = async (resource: string) =>
      (await gateway.request(`/pbs/sync/${resource}?netbox_branch_schema_id=k3x9`)).json()
    const { verify, prune, sync, tape } = pbs.state.jobs
    const jobs = verify.length + prune.length + sync.length + tape.length + stores
    const items = [
      { ...item, resource: 'datastores', fetched: stores },
      { ...item, resource: 'snapshots', fetched: countSnapshots(pbs.state) },
      { ...item, resource: 'jobs', fetched: jobs },
      { ...item, resource: 'node', fetched: 1 },
    ]
    expect(await counts('full')).toEqual({ items, raw: null })
    expect(await counts('node')).toEqual({ items: [items[3]], raw: null })
  })

  test('status', async () => {
    const id = await gatewayWith()
    await addEndpoint(gateway, pbs, { name: 'off', enabled: false })
    const response = await gateway.request('/pbs/status')
    expect(await response.json()).toEqual({
      items: [
        {
          endpoint_id: id,
          name: 'pbs-a',
          host: '127.0.0.1',
          port: pbs.port,
          reachable: true,
          reason: null,
          version: '4.2',
        },
      ],
    })
  })

  test.each([
    ['POST', '/pbs/sync/nothing', 404, 'Not Found', null],
    ['POST', '/pbs/sync/full', 405, 'Method Not Allowed', 'GET'],
    ['PUT', '/pbs/sync/snapshots', 405, 'Method Not Allowed', 'GET, POST'],
    ['GET', '/pbs/sync/servers', 405, 'Method Not Allowed', 'POST'],
    ['PATCH', '/pbs/endpoints/', 405, 'Method Not Allowed', 'GET, POST'],
    ['POST', '/pbs/endpoints/7', 405, 'Method Not Allowed', 'DELETE, GET, PUT'],
    ['DELETE', '/pbs/status', 405, 'Method Not Allowed', 'GET'],
    ['POST', '/version', 405, 'Method Not Allowed', 'GET'],
  ])('%s %s is %s', async (method, path, status, detail, allow) => {
    gateway = await startGateway()
    const response = await gateway.request(path, { method })
    expect([response.status, await response.json(), response.headers.get('allow')]).toEqual([status, { detail }, allow])
  })
})

describe('several servers', () => {
  test('are read side by side, the scopes of each one after the other', async () => {
    const others = await Promise.all(
      ['pbs-b', 'pbs-c'].map((name, index) =>
        startSimulator({ name, seed: index + 2, snapshots: 300, failureDelayMs: 30 }),
      ),
    )
    try {
      await gatewayWith()
      for (const other of others) await addEndpoint(gateway, other)
      const frames = await syncFrames(gateway, 'snapshots')
      const open = new Map<string, string>()
      const finished: Array<string> = []
      for (const frame of frames.slice(0, -1)) {
        const server = 'server' in frame ? frame.server : ''
        if (frame.frame === 'scope') {
          expect([server, open.get(server)]).toEqual([server, undefined])
          open.set(server, frame.resource)
        } else if (frame.frame === 'complete') {
          expect(open.get(server)).toBe(frame.resource)
          open.delete(server)
          finished.push(server)
        } else {
          const belongs = frame.frame === 'namespace' ? 'namespaces' : 'snapshots'
          expect([frame.frame, open.get(server)]).toEqual([frame.frame, belongs])
        }
      }
      expect([open.size, new Set(finished)]).toEqual([0, new Set(['pbs-a', 'pbs-b', 'pbs-c'])])
      // Side by side: the first server is not done when the last one begins.
      expect(finished.indexOf('pbs-c')).toBeLessThan(finished.lastIndexOf('pbs-a'))
      expect(ofKind(frames, 'end')[0]?.items.map(({ name, fetched }) => [name, fetched])).toEqual(
        [pbs, ...others].map(({ name, state }) => [name, countSnapshots(state)]),
      )
    } finally {
      await Promise.all(others.map((other) => other.close()))
    }
  })
})

describe('the list of servers', () => {
  const withOther = async (use: (other: Simulator) => Promise<void>) => {
    const other = await startSimulator({ name: 'pbs-b', snapshots: 10, failureDelayMs: 0 })
    try {
      await use(other)
    } finally {
      await other.close()
    }
  }

  test('for named servers lists all and contacts those only; of the others it says nothing', async () => {
    await withOther(async (other) => {
      await gatewayWith()
      await addEndpoint(gateway, other)
      const frames = await syncFrames(gateway, 'servers', { servers: ['pbs-a', 'pbs-missing'] })
      const rows = ofKind(frames, 'server').map(({ name, version, observed }) => [
        name,
        version === null,
        observed.status,
      ])
      expect(rows.sort()).toEqual([
        ['pbs-a', false, 'reachable'],
        ['pbs-b', true, 'unknown'],
      ])
      expect(ofKind(frames, 'server').find(({ name }) => name === 'pbs-b')?.observed).toEqual({
        status: 'unknown',
        last_seen_at: null,
        tls_checked: true,
      })
      expect(ofKind(frames, 'complete').map(({ count }) => count)).toEqual([2])
      expect(other.counts.requests).toBe(0)
    })
  })

  test('has the row of a server that answers before that of a silent one', async () => {
    await withOther(async (other) => {
      await gatewayWith({ timeout_seconds: 2 })
      await addEndpoint(gateway, other)
      pbs.faults.add({ kind: 'hang', match: { path: '/version' } })
      try {
        const frames = await syncFrames(gateway, 'servers')
        expect(ofKind(frames, 'server').map(({ name }) => name)).toEqual(['pbs-b', 'pbs-a'])
      } finally {
        pbs.faults.clear()
      }
    })
  })
})

describe('without endpoints', () => {
  test('everything is empty', async () => {
    gateway = await startGateway()
    expect(await syncFrames(gateway, 'snapshots')).toEqual([{ frame: 'end', items: [] }])
    expect(await (await gateway.request('/pbs/status')).json()).toEqual({ items: [] })
    expect(await (await gateway.request('/pbs/sync/full')).json()).toEqual({ items: [], raw: null })
  })
})

test('a store hidden by NoAccess of token or user changes the visibility of the datastores', async () => {
  await gatewayWith()
  const visibility = async () =>
    ofKind(await syncFrames(gateway, 'datastores'), 'complete').find((f) => f.resource === 'datastores')?.visibility
  const [before, kept] = [await visibility(), [...pbs.state.acl]]
  expect(await visibility()).toBe(before)
  for (const authId of [pbs.tokens.audit.tokenId, 'inventory@pbs']) {
    pbs.state.acl.push({ path: '/datastore/vault', authId, role: 'NoAccess', propagate: true })
    expect(await visibility()).not.toBe(before)
    pbs.state.acl.splice(0, pbs.state.acl.length, ...kept)
    expect(await visibility()).toBe(before)
  }
})
