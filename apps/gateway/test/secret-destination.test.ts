import { type Recorder, type Simulator, startRecorder, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, openSync } from './simulated.ts'

/** A thief holds the gateway's key, and not the secret of the token. */
let gateway: RunningGateway
let pbs: Simulator
let thief: Recorder
beforeAll(async () => {
  gateway = await startGateway()
  pbs = await startSimulator({ name: 'pbs-a', seed: 3, snapshots: 10, failureDelayMs: 0 })
  thief = await startRecorder()
})
afterAll(async () => {
  await gateway.stop()
  await pbs.close()
  await thief.close()
})

const put = async (id: number, json: unknown) => {
  const response = await gateway.request(`/pbs/endpoints/${id}`, { method: 'PUT', json })
  return {
    status: response.status,
    body: (await response.json()) as { detail: ReadonlyArray<{ loc: unknown; msg: string }> },
  }
}

test.each([
  ['another host', () => ({ host: 'localhost' }), 'host'],
  ['another port', () => ({ port: thief.port }), 'port'],
  ['another token id', () => ({ token_id: 'root@pam!other' }), 'token_id'],
  ['no pin', () => ({ fingerprint: null }), 'fingerprint'],
  ['a blank pin', () => ({ fingerprint: '' }), 'fingerprint'],
  ['no verification', () => ({ verify_ssl: false }), 'verify_ssl'],
  ['no verification, with a new pin', () => ({ verify_ssl: false, fingerprint: thief.fingerprint }), 'verify_ssl'],
  ['a thief with a pin of its own', () => ({ port: thief.port, fingerprint: thief.fingerprint }), 'port'],
  ['a thief without a pin', () => ({ port: thief.port, fingerprint: null, verify_ssl: false }), 'port'],
])('an endpoint keeps its secret where it is: %s is refused without it', async (title, change, field) => {
  const id = await addEndpoint(gateway, pbs, { name: title })
  const before = await (await gateway.request(`/pbs/endpoints/${id}`)).json()
  const refused = await put(id, change())
  expect(refused).toMatchObject({ status: 422, body: { detail: [{ loc: ['body', 'token_secret'] }] } })
  expect(refused.body.detail[0]?.msg).toContain(field)
  expect(await (await gateway.request(`/pbs/endpoints/${id}`)).json()).toEqual(before)

  const tested = await gateway.request('/pbs/endpoints/test', { method: 'POST', json: { id } })
  expect(await tested.json()).toMatchObject({ reachable: true, error: null })
  await (await openSync(gateway, 'servers', { servers: [title] })).text()
  expect([thief.handshakes(), thief.received()]).toEqual([0, ''])
})

test('a renewed certificate is pinned without the secret; another server is taken with it', async () => {
  const id = await addEndpoint(gateway, pbs, { name: 'renewed' })
  expect((await put(id, { fingerprint: thief.fingerprint })).status).toBe(200)
  expect((await put(id, { fingerprint: pbs.fingerprint, host: pbs.host, port: pbs.port })).status).toBe(200)
  const moved = { host: 'localhost', token_id: pbs.tokens.auditOnly.tokenId, verify_ssl: false }
  expect((await put(id, { ...moved, token_secret: pbs.tokens.auditOnly.secret })).status).toBe(200)
  const tested = await gateway.request('/pbs/endpoints/test', { method: 'POST', json: { id } })
  expect(await tested.json()).toMatchObject({ reachable: true, error: null })
})

test('an endpoint that is deleted takes its secret with it', async () => {
  const id = await addEndpoint(gateway, pbs, { name: 'again' })
  await gateway.request(`/pbs/endpoints/${id}`, { method: 'DELETE' })
  const response = await gateway.request('/pbs/endpoints', {
    method: 'POST',
    json: { name: 'again', host: thief.host, port: thief.port, token_id: pbs.tokens.audit.tokenId, verify_ssl: false },
  })
  expect([response.status, thief.received()]).toEqual([422, ''])
})
