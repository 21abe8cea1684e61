import { EndpointStore, SecretUnreadable, StoreFailed } from '@netbox-pbs/core/ports'
import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { Context, Layer } from 'effect'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memoryStore } from './memory-store.ts'
import { type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, ended, ofKind, syncFrames } from './simulated.ts'

let pbs: Simulator
let gateway: RunningGateway

beforeEach(async () => {
  pbs = await startSimulator({ snapshots: 200, failureDelayMs: 30, now: 1_780_358_400, unreadableStores: true })
  gateway = await startGateway()
})
afterEach(async () => {
  await gateway.stop()
  await pbs.close()
})

const wrongPin = Array(32).fill('00').join(':')

describe('the whole server fails', () => {
  test.each([
    ['another certificate', { fingerprint: wrongPin }, 'tls_fingerprint_mismatch', 'unreachable', true],
    ['no pin and an unknown CA', { fingerprint: null }, 'tls_untrusted', 'unreachable', true],
    ['a wrong secret', { token_secret: 'wrong' }, 'unauthorized', 'reachable', false],
  ])('%s', async (_, change, code, status, refused) => {
    const shown = refused ? { presented_fingerprint: pbs.fingerprint } : {}
    const error = { code, message: expect.stringContaining(`PBS ${pbs.host}:${pbs.port}`), ...shown }
    await addEndpoint(gateway, pbs, change)
    const listed = await syncFrames(gateway, 'datastores')
    expect(ended(listed, 'failed')).toEqual([`datastores ${code}`])
    expect(ofKind(listed, 'failed').map((frame) => frame.error)).toEqual([error])
    expect(ended(await syncFrames(gateway, 'snapshots'), 'failed')).toEqual([`datastores ${code}`])
    expect(ended(await syncFrames(gateway, 'jobs'), 'failed').length).toBe(5)
    const frames = await syncFrames(gateway, 'servers')
    expect(ofKind(frames, 'warning').map((warning) => warning.code)).toEqual([code])
    expect(ofKind(frames, 'server').map(({ version, observed }) => [version, observed])).toEqual([
      [null, { status, last_seen_at: null, tls_checked: true, error }],
    ])
    expect(ended(frames, 'complete')).toEqual(['servers'])
  })

  test('a server with another certificate never sees a request', async () => {
    await addEndpoint(gateway, pbs, { fingerprint: wrongPin })
    await syncFrames(gateway, 'snapshots')
    expect(pbs.counts.requests).toBe(0)
  })

  test('one that is down does not fail another', async () => {
    const other = await startSimulator({ name: 'pbs-b', snapshots: 50, failureDelayMs: 30 })
    try {
      await addEndpoint(gateway, pbs)
      await addEndpoint(gateway, other)
      await pbs.pause()
      const frames = await syncFrames(gateway, 'datastores')
      expect(ofKind(frames, 'failed').map(({ error, ...rest }) => [error.code, rest])).toEqual([
        ['unreachable', { frame: 'failed', resource: 'datastores', server: 'pbs-a', retryable: true }],
      ])
      expect(ofKind(frames, 'complete').map((frame) => 'server' in frame && frame.server)).toEqual(['pbs-b'])
      const status = (await (await gateway.request('/pbs/status')).json()) as { items: ReadonlyArray<object> }
      expect(status.items).toMatchObject([
        { name: 'pbs-a', reachable: false, reason: expect.stringMatching(/^unreachable: /), version: null },
        { name: 'pbs-b', reachable: true, reason: null, version: '4.2' },
      ])
    } finally {
      await other.close()
    }
  })
})

describe('the database of the gateway', () => {
  /** The stores in memory, one call of them failing. */
  const failing = (change: (store: typeof EndpointStore.Service) => Partial<typeof EndpointStore.Service>) =>
    Layer.map(memoryStore, (services) => {
      const store = Context.get(services, EndpointStore)
      return Context.add(services, EndpointStore, { ...store, ...change(store) })
    })

  test('whose secret of one endpoint cannot be opened fails that one alone', async () => {
    await gateway.stop()
    gateway = await startGateway({
      store: failing(({ secret }) => ({
        secret: ({ id }) => (id === 1 ? new SecretUnreadable({ keyName: 'THE_KEY' }) : secret({ id })),
      })),
    })
    await addEndpoint(gateway, pbs)
    await addEndpoint(gateway, pbs, { name: 'pbs-b' })
    const frames = await syncFrames(gateway, 'snapshots')
    expect(ofKind(frames, 'failed').filter((frame) => 'server' in frame && frame.server === 'pbs-a')).toEqual([
      {
        frame: 'failed',
        resource: 'datastores',
        server: 'pbs-a',
        error: {
          code: 'unreachable',
          message: 'stored secrets cannot be read with this key: set THE_KEY to the key they were stored under',
        },
        retryable: false,
      },
    ])
    expect(ended(frames, 'complete')).toContain('snapshots tank')
  })

  test('that does not answer is a 503 with the next step', async () => {
    await gateway.stop()
    gateway = await startGateway({
      store: failing(() => ({
        list: () => new StoreFailed({ reason: 'unavailable', operation: 'reading the endpoints' }),
      })),
    })
    for (const path of ['/pbs/endpoints', '/pbs/status', '/pbs/sync/full']) {
      const response = await gateway.request(path)
      expect([path, response.status, await response.json()]).toEqual([
        path,
        503,
        { detail: 'reading the endpoints: the database does not answer; check that it runs and try again' },
      ])
    }
  })
})

describe('one store fails', () => {
  test('in maintenance or not mounted: the others are listed', async () => {
    await addEndpoint(gateway, pbs)
    pbs.setMaintenance('vault', 'read-only')
    const frames = await syncFrames(gateway, 'snapshots')
    expect(ended(frames, 'failed')).toEqual(['namespaces cold maintenance', 'namespaces usb1 not_mounted'])
    expect(ended(frames, 'complete')).toContain('snapshots tank')
    expect(ended(frames, 'complete')).toContain('snapshots vault')
    const jobs = await syncFrames(gateway, 'jobs', { job_types: ['gc'] })
    expect(ofKind(jobs, 'job').map(({ job_id }) => job_id)).toContain('usb1')
  })

  test.each([
    ['is refused', { kind: 'status', status: 403, body: 'permission check failed' }, 'forbidden'],
    ['is cut', { kind: 'cut', afterBytes: 200 }, 'unreachable'],
    ['ends too early', { kind: 'truncate', afterBytes: 200 }, 'protocol'],
    ['is a page of a proxy', { kind: 'html' }, 'protocol'],
  ] as const)('a list that %s', async (_, fault, code) => {
    await addEndpoint(gateway, pbs)
    pbs.faults.add({ ...fault, match: { path: '/admin/datastore/tank/snapshots', query: { ns: 'site-a' } } })
    const frames = await syncFrames(gateway, 'snapshots', { datastores: ['tank'] })
    expect(ended(frames, 'failed')).toEqual([`snapshots tank/site-a ${code}`])
    expect(ended(frames, 'complete')).toContain('snapshots tank')
    expect(frames.at(-1)?.frame).toBe('end')
  })

  test('that hangs ends in timeout', async () => {
    await addEndpoint(gateway, pbs, { timeout_seconds: 1 })
    pbs.faults.add({ kind: 'hang', match: { path: '/admin/datastore/tank/groups', query: { ns: 'site-a' } } })
    const frames = await syncFrames(gateway, 'snapshots', { datastores: ['tank'], namespaces: ['', 'site-a'] })
    expect(ended(frames, 'failed')).toEqual(['snapshots tank/site-a timeout'])
    expect(ended(frames, 'complete')).toEqual(['snapshots tank'])
  })
})

describe('a token that sees nothing', () => {
  test('fails whatever needs a datastore, with the commands that grant it', async () => {
    const token = pbs.tokens.empty
    await addEndpoint(gateway, pbs, { token })
    const failed = [
      ...ofKind(await syncFrames(gateway, 'datastores'), 'failed'),
      ...ofKind(await syncFrames(gateway, 'snapshots'), 'failed'),
      ...ofKind(await syncFrames(gateway, 'jobs'), 'failed'),
    ]
    expect(failed.map((frame) => ('job_type' in frame ? frame.job_type : frame.resource))).toEqual([
      'datastores',
      'datastores',
      'verify',
      'prune',
      'sync',
      'gc',
    ])
    for (const { error, retryable } of failed) {
      expect([error.code, retryable]).toEqual(['forbidden', false])
      expect(error.message).toContain(`proxmox-backup-manager acl update / Audit --auth-id '${token.tokenId}'`)
    }
  })
})

describe('a token that sees a part', () => {
  test('one store: complete as far as it goes, with a warning', async () => {
    await addEndpoint(gateway, pbs, { token: pbs.tokens.oneStore })
    const frames = await syncFrames(gateway, 'datastores')
    expect(ofKind(frames, 'datastore').map(({ name }) => name)).toContain(pbs.tokens.oneStore.store)
    expect(ofKind(frames, 'warning').map(({ code }) => code)).toContain('privileges_missing')
  })

  test('one namespace: that one is listed, the others are hidden or refused', async () => {
    const token = pbs.tokens.oneNamespace
    await addEndpoint(gateway, pbs, { token })
    const frames = await syncFrames(gateway, 'snapshots', { datastores: [token.store] })
    expect(ended(frames, 'complete')).toContain(`snapshots ${token.store}/${token.ns}`)
    expect(ended(frames, 'complete')).not.toContain(`snapshots ${token.store}`)
    expect(ofKind(frames, 'warning').map(({ code }) => code)).toContain('privileges_missing')
  })

  test('its own backups: the snapshots are refused, for they are not all', async () => {
    await addEndpoint(gateway, pbs, { token: pbs.tokens.backup })
    const frames = await syncFrames(gateway, 'snapshots', { datastores: ['tank'] })
    expect(ended(frames, 'complete')).toEqual(['namespaces tank'])
    expect(new Set(ofKind(frames, 'failed').map(({ error }) => error.code))).toEqual(new Set(['forbidden']))
    expect(ofKind(frames, 'group')).toEqual([])
  })

  test('the role Audit alone: remotes and tape are warned of', async () => {
    await addEndpoint(gateway, pbs, { token: pbs.tokens.auditOnly })
    const frames = await syncFrames(gateway, 'jobs')
    const warned = ofKind(frames, 'warning').map((warning) => 'job_type' in warning && warning.job_type)
    expect(warned).toEqual(['sync', 'tape'])
  })

  test('the visibility differs between tokens', async () => {
    await addEndpoint(gateway, pbs, { name: 'full' })
    await addEndpoint(gateway, pbs, { name: 'part', token: pbs.tokens.auditOnly })
    const visibilities = async (resource: string) =>
      ofKind(await syncFrames(gateway, resource, resource === 'jobs' ? { job_types: ['tape'] } : {}), 'complete').map(
        ({ visibility }) => visibility,
      )
    expect(new Set(await visibilities('jobs')).size).toBe(2)
    expect(new Set(await visibilities('datastores')).size).toBe(1)
  })
})

describe('testing an endpoint', () => {
  const test_ = async (json: unknown) => (await gateway.request('/pbs/endpoints/test', { method: 'POST', json })).json()
  const whole = (change: object = {}) => ({
    name: 'new',
    host: pbs.host,
    port: pbs.port,
    token_id: pbs.tokens.audit.tokenId,
    token_secret: pbs.tokens.audit.secret,
    fingerprint: pbs.fingerprint,
    timeout_seconds: 5,
    ...change,
  })

  test('all is well, nothing is stored', async () => {
    expect(await test_(whole())).toEqual({
      reachable: true,
      version: '4.2.3',
      code: null,
      error: null,
      presented_fingerprint: pbs.fingerprint,
      missing_privileges: [],
      acl_commands: [],
      token_warning: '',
    })
    expect(await (await gateway.request('/pbs/endpoints')).json()).toEqual([])
  })

  test('by id, and what the token lacks', async () => {
    const id = await addEndpoint(gateway, pbs, { token: pbs.tokens.auditOnly })
    expect(await test_({ id })).toMatchObject({
      error: null,
      missing_privileges: ['Remote.Audit on /remote', 'Tape.Audit on /tape'],
      acl_commands: ['RemoteAudit', 'TapeAudit'].flatMap((role) =>
        [pbs.tokens.auditOnly.tokenId.replace(/!.*/, ''), pbs.tokens.auditOnly.tokenId].map(
          (tokenId) => `proxmox-backup-manager acl update / ${role} --auth-id '${tokenId}'`,
        ),
      ),
    })
    const answer = await gateway.request('/pbs/endpoints/test', { method: 'POST', json: { id: 99 } })
    expect([answer.status, await answer.json()]).toEqual([404, { detail: 'PBS endpoint not found' }])
  })

  test('another certificate is shown next to the expected one, and gets no request', async () => {
    const outcome = (await test_(whole({ fingerprint: wrongPin }))) as { error: string }
    expect(outcome).toMatchObject({ reachable: false, version: null, presented_fingerprint: pbs.fingerprint })
    expect(outcome.error).toContain(wrongPin)
    expect(outcome.error).toContain(pbs.fingerprint)
    expect(pbs.counts.requests).toBe(0)
  })

  test('a wrong secret is reported, never repeated', async () => {
    const outcome = await test_(whole({ token_secret: 'not-the-secret' }))
    expect(outcome).toMatchObject({ reachable: true, version: null, presented_fingerprint: pbs.fingerprint })
    expect(JSON.stringify(outcome)).not.toContain('not-the-secret')
  })

  test('a token to which nothing is listed, and how to grant it', async () => {
    const { tokenId: token_id, secret: token_secret } = pbs.tokens.empty
    expect(await test_(whole({ token_id, token_secret }))).toMatchObject({
      reachable: true,
      version: '4.2.3',
      code: 'forbidden',
      error: expect.stringContaining(`lists no datastore to the token ${token_id}`),
      missing_privileges: expect.arrayContaining(['Datastore.Audit on /datastore']),
      acl_commands: expect.arrayContaining([`proxmox-backup-manager acl update / Audit --auth-id '${token_id}'`]),
    })
  })

  test('a token that may write, and how to leave it what an inventory needs', async () => {
    const { tokenId, secret: token_secret } = pbs.tokens.backup
    expect(await test_(whole({ token_id: tokenId, token_secret }))).toMatchObject({
      code: null,
      error: null,
      token_warning: expect.stringContaining(
        `The token ${tokenId} has more privileges than an inventory needs: Datastore.Backup on /datastore. `,
      ),
    })
  })

  test('a token that is shown one store may read that', async () => {
    const { tokenId: token_id, secret: token_secret } = pbs.tokens.oneStore
    expect(await test_(whole({ token_id, token_secret }))).toMatchObject({ code: null, error: null })
  })

  test.each([
    ['a wrong pin', { fingerprint: wrongPin }, 'tls_fingerprint_mismatch'],
    ['no pin', { fingerprint: null }, 'tls_untrusted'],
    ['a wrong secret', { token_secret: 'not-the-secret' }, 'unauthorized'],
    ['no such host', { host: 'missing.invalid' }, 'unreachable'],
  ])('%s has a code', async (_, change, code) => {
    expect(await test_(whole(change))).toMatchObject({ code })
  })

  test('a server that does not run', async () => {
    await pbs.pause()
    expect(await test_(whole())).toMatchObject({ reachable: false, version: null, presented_fingerprint: null })
  })
})
