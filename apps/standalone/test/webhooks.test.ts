import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { prepareFolder, systemEngines } from './support/homes.ts'
import { SystemProcess } from './support/process.ts'
import { allRows, connect, type Rest, type Row, request, syncAndWait } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'
import { expectedSignature, startReceiver, type WebhookReceiver } from './support/webhook-receiver.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

const root = '/api/plugins/pbs'
const datastore = 'netbox_pbs.pbsdatastore'

/** Sends a request that has to succeed, and gives its answer. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads what it asserts
async function ask(rest: Rest, method: string, path: string, body?: unknown): Promise<any> {
  const { status, json } = await request(rest, method, path, body)
  expect(status, JSON.stringify(json)).toBeLessThan(300)
  return json
}

/** Makes a webhook to an address and a rule that sends it. */
async function subscribe(rest: Rest, name: string, webhook: object, rule: object): Promise<number> {
  const { id } = await ask(rest, 'POST', '/api/extras/webhooks/', { name, ...webhook })
  await ask(rest, 'POST', '/api/extras/event-rules/', {
    name,
    object_types: [datastore],
    event_types: ['object_updated'],
    action_type: 'webhook',
    action_object_type: 'extras.webhook',
    action_object_id: id,
    ...rule,
  })
  return id
}

const deliveriesOf = (rest: Rest, webhook: number) => allRows(rest, 'deliveries', `&webhook_id=${webhook}`)
const allowLoopback = (rest: Rest) =>
  ask(rest, 'PATCH', `${root}/settings/`, { webhook_allowed_networks: ['127.0.0.0/8'] })
const addStore = async (rest: Rest, server: number, name: string): Promise<Row> =>
  ask(rest, 'POST', `${root}/datastores/`, { server, name, path: `/${name}` })
const addServer = async (rest: Rest, name: string): Promise<Row> =>
  ask(rest, 'POST', `${root}/servers/`, { name, host: '127.0.0.1', token_id: 'a@pbs!b' })
const comment = (rest: Rest, { id }: Row, text: string) =>
  ask(rest, 'PATCH', `${root}/datastores/${id}/`, { comment: text })

describe.each(systemEngines)('from an edit on $engine to a receiver', ({ home }) => {
  let rest: RunningSystem
  let receiver: WebhookReceiver
  let server: Row
  let simulator: Simulator

  beforeAll(async () => {
    receiver = await startReceiver()
    simulator = await startSimulator({ name: 'pbs-events', profile: '4.2', seed: 5, snapshots: 60, failureDelayMs: 0 })
    rest = await startSystem(await home())
    await allowLoopback(rest)
    server = await addServer(rest, 'pbs-by-user')
  })
  afterAll(async () => {
    receiver.close()
    await simulator.close()
    await rest.stop()
  })
  beforeEach(() => {
    receiver.received.length = 0
    receiver.answer = (response) => void response.writeHead(204).end()
  })
  const arrived = (count: number) =>
    vi.waitFor(() => expect(receiver.received.length).toBeGreaterThanOrEqual(count), { timeout: 60_000, interval: 50 })

  test('an edit arrives signed, and a write that was refused does not', async () => {
    const store = await addStore(rest, server.id, 'signed')
    const only = { attr: 'name', value: 'signed' }
    const types = { event_types: ['object_updated', 'object_deleted'], conditions: only }
    const webhook = await subscribe(rest, 'signed', { payload_url: receiver.url, secret: 'hush' }, types)
    await comment(rest, store, 'first')
    // All or nothing: the first of both would have been written.
    const bulk = [
      { server: server.id, name: 'other', path: '/o' },
      { server: server.id, name: 'signed', path: '/s' },
    ]
    expect((await request(rest, 'POST', `${root}/datastores/`, bulk)).status).toBe(400)
    expect((await request(rest, 'PATCH', `${root}/datastores/${store.id}/`, { path: null })).status).toBe(400)
    await ask(rest, 'DELETE', `${root}/datastores/${store.id}/`)
    await arrived(2)
    const [updated, deleted] = receiver.received
    expect(updated?.headers['x-hook-signature']).toBe(expectedSignature('hush', updated?.text ?? ''))
    expect(updated?.json).toMatchObject({
      event: 'updated',
      object_type: datastore,
      username: 'admin',
      data: { id: store.id, url: `${root}/datastores/${store.id}/`, server: { name: 'pbs-by-user' }, comment: 'first' },
      snapshots: { prechange: { comment: '' }, postchange: { comment: 'first' } },
    })
    expect(deleted?.json).toMatchObject({ event: 'deleted', data: { id: store.id }, snapshots: { postchange: null } })
    await vi.waitFor(async () =>
      expect(await deliveriesOf(rest, webhook)).toMatchObject([
        { state: { value: 'delivered' }, uuid: deleted?.headers['x-hook-delivery'], attempts: 1 },
        { state: { value: 'delivered' }, uuid: updated?.headers['x-hook-delivery'], response_status: 204 },
      ]),
    )
    expect(receiver.received).toHaveLength(2)
    const shown = JSON.stringify(await ask(rest, 'GET', `/api/extras/webhooks/${webhook}/`))
    expect([shown.includes('hush'), shown.includes('"secret_configured":true')]).toEqual([false, true])
  })

  test('a receiver that is down gets everything when it is up, in order for each object', async () => {
    const [a, b] = [await addStore(rest, server.id, 'down-a'), await addStore(rest, server.id, 'down-b')]
    const webhook = await subscribe(
      rest,
      'down',
      { payload_url: receiver.url },
      {
        conditions: { attr: 'name', op: 'regex', value: 'down-' },
      },
    )
    receiver.answer = (response) => void response.writeHead(503).end('later')
    for (const text of ['1', '2', '3']) for (const store of [a, b]) await comment(rest, store, text)
    await vi.waitFor(
      async () => {
        const waiting = (await deliveriesOf(rest, webhook)).filter(({ attempts }) => attempts === 1)
        expect(waiting).toMatchObject(
          Array(2).fill({ state: { value: 'pending' }, response_status: 503, next_attempt: expect.any(String) }),
        )
      },
      { timeout: 20_000, interval: 100 },
    )
    receiver.received.length = 0
    receiver.answer = (response) => void response.writeHead(204).end()
    await arrived(6)
    const told = (id: number) =>
      receiver.received.filter(({ json }) => json.data.id === id).map(({ json }) => json.data.comment)
    expect([told(a.id), told(b.id)]).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
    ])
  })

  test('a certificate that nothing vouches for is refused, unless the webhook says otherwise', async () => {
    const tls = await startReceiver({ tls: true })
    const store = await addStore(rest, server.id, 'tls')
    const webhook = await subscribe(
      rest,
      'tls',
      { payload_url: tls.url },
      { conditions: { attr: 'name', value: 'tls' } },
    )
    await comment(rest, store, 'over TLS')
    const failed = async () => (await deliveriesOf(rest, webhook)).find(({ attempts }) => attempts === 1)
    await vi.waitFor(
      async () => expect(await failed()).toMatchObject({ error: expect.stringContaining('certificate') }),
      {
        timeout: 20_000,
        interval: 100,
      },
    )
    expect(tls.received).toEqual([])
    await ask(rest, 'PATCH', `/api/extras/webhooks/${webhook}/`, { ssl_verification: false })
    await ask(rest, 'POST', `${root}/deliveries/${(await failed())?.id}/retry/`)
    await vi.waitFor(() => expect(tls.received).toMatchObject([{ json: { data: { comment: 'over TLS' } } }]), {
      timeout: 20_000,
    })
    tls.close()
  })

  test('a private address is refused for good, until the setting allows it and a user retries', async () => {
    await ask(rest, 'PATCH', `${root}/settings/`, { webhook_allowed_networks: [] })
    const store = await addStore(rest, server.id, 'private')
    const webhook = await subscribe(
      rest,
      'private',
      { payload_url: receiver.url },
      {
        conditions: { attr: 'name', value: 'private' },
      },
    )
    await comment(rest, store, 'inside')
    const first = async () => (await deliveriesOf(rest, webhook))[0]
    await vi.waitFor(
      async () =>
        expect(await first()).toMatchObject({
          state: { value: 'failed' },
          error: expect.stringContaining('webhook_allowed_networks'),
        }),
      { timeout: 20_000, interval: 100 },
    )
    expect(receiver.received).toEqual([])
    await allowLoopback(rest)
    await ask(rest, 'POST', `${root}/deliveries/${(await first())?.id}/retry/`)
    await arrived(1)
    expect(receiver.received).toMatchObject([{ json: { data: { comment: 'inside' } } }])
  })

  test('a run tells of its end, and of what it created in each scope with one event', async () => {
    await connect(rest, simulator)
    await subscribe(
      rest,
      'created',
      { payload_url: receiver.url },
      {
        object_types: ['netbox_pbs.pbssnapshot'],
        event_types: ['object_created'],
        conditions: { attr: 'server.name', value: 'pbs-events' },
      },
    )
    await subscribe(
      rest,
      'ended',
      { payload_url: receiver.url },
      {
        object_types: ['netbox_pbs.syncrun'],
        event_types: ['job_completed', 'job_failed'],
      },
    )
    const run = await syncAndWait(rest, { servers: ['pbs-events'] })
    const snapshots = await allRows(rest, 'snapshots')
    const created = () => receiver.received.filter(({ json }) => json.event === 'created')
    const total = () => created().reduce((sum, { json }) => sum + json.data.counts.snapshot, 0)
    await vi.waitFor(() => expect(total()).toBe(snapshots.length), { timeout: 20_000, interval: 100 })
    expect(snapshots.length).toBeGreaterThan(10)
    expect(created().length).toBeLessThan(snapshots.length)
    expect(created()[0]?.json).toMatchObject({
      object_type: 'netbox_pbs.pbssnapshot',
      request_id: null,
      data: { server: { name: 'pbs-events' }, display: expect.stringContaining('pbs-events') },
    })
    const ends = () => receiver.received.filter(({ json }) => json.event === 'job_ended').map(({ json }) => json)
    await vi.waitFor(() => expect(ends()).toHaveLength(1), { timeout: 20_000, interval: 100 })
    expect(ends()).toMatchObject([
      {
        object_type: 'netbox_pbs.syncrun',
        username: 'admin',
        data: { id: run.id, url: `${root}/sync-runs/${run.id}/`, status: run.status },
      },
    ])
  })
})

test('a system that is killed between sending and noting it sends again, under the same id', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'netbox-pbs-test-'))
  await prepareFolder(dataDir)
  const receiver = await startReceiver()
  let system: SystemProcess | undefined
  const start = async (): Promise<Rest> => {
    system = SystemProcess.start('netbox-pbs', ['start', '--data-dir', dataDir, '--port', '0', '--gateway-port', '0'])
    const [, url = ''] = await system.line(/^netbox-pbs ready: (\S+)\/plugins\/pbs\/ /)
    return { url, token: readFileSync(join(dataDir, 'token'), 'utf8').trim() }
  }
  try {
    const first = await start()
    await allowLoopback(first)
    const server = await addServer(first, 'pbs-by-user')
    const store = await addStore(first, server.id, 'tank')
    const webhook = await subscribe(first, 'killed', { payload_url: receiver.url }, {})
    // It holds the answer, so that the delivery is sent and not noted.
    receiver.answer = () => undefined
    await comment(first, store, 'once or twice')
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), { timeout: 20_000 })
    await system?.stop('SIGKILL')
    receiver.answer = (response) => void response.writeHead(200).end()
    const second = await start()
    await vi.waitFor(() => expect(receiver.received).toHaveLength(2), { timeout: 60_000, interval: 100 })
    const [before, after] = receiver.received
    expect([after?.headers['x-hook-delivery'], after?.text]).toEqual([before?.headers['x-hook-delivery'], before?.text])
    await vi.waitFor(async () =>
      expect(await deliveriesOf(second, webhook)).toMatchObject([{ state: { value: 'delivered' }, attempts: 2 }]),
    )
  } finally {
    system?.kill()
    receiver.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
})
