import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningGateway, startGateway } from './running-gateway.ts'

const whole = {
  name: 'pbs-a',
  host: 'pbs-a.example',
  port: 8007,
  token_id: 'netbox@pbs!inventory',
  token_secret: '11111111-2222-3333-4444-555555555555',
  fingerprint: 'AA'.repeat(32),
  verify_ssl: false,
  enabled: true,
  timeout_seconds: 10,
}

const shown = {
  id: 1,
  name: 'pbs-a',
  host: 'pbs-a.example',
  port: 8007,
  token_id: 'netbox@pbs!inventory',
  fingerprint: Array(32).fill('aa').join(':'),
  verify_ssl: false,
  allow_writes: false,
  enabled: true,
  timeout_seconds: 10,
}

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())

describe('endpoints', () => {
  test('are made, listed, changed and deleted; the secret never comes back', async () => {
    const made = await gateway.request('/pbs/endpoints', { method: 'POST', json: whole })
    expect([made.status, await made.json()]).toEqual([200, shown])

    const listed = await gateway.request('/pbs/endpoints?offset=0&limit=100')
    expect([listed.status, await listed.json()]).toEqual([200, [shown]])

    const changed = await gateway.request('/pbs/endpoints/1', {
      method: 'PUT',
      json: { port: 8008, fingerprint: null, token_secret: 'another' },
    })
    expect([changed.status, await changed.json()]).toEqual([200, { ...shown, port: 8008, fingerprint: null }])

    const one = await gateway.request('/pbs/endpoints/1')
    expect(await one.json()).toEqual({ ...shown, port: 8008, fingerprint: null })

    const deleted = await gateway.request('/pbs/endpoints/1', { method: 'DELETE' })
    expect([deleted.status, await deleted.json()]).toEqual([200, { message: 'PBS endpoint deleted.' }])

    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await gateway.request('/pbs/endpoints/1', { method, ...(method === 'PUT' ? { json: {} } : {}) })
      expect([method, answer.status, await answer.json()]).toEqual([method, 404, { detail: 'PBS endpoint not found' }])
    }
  })

  test('a name is taken once, in POST and in PUT', async () => {
    await gateway.request('/pbs/endpoints', { method: 'POST', json: { ...whole, name: 'first' } })
    const second = await gateway.request('/pbs/endpoints', { method: 'POST', json: { ...whole, name: 'second' } })
    const { id } = (await second.json()) as { id: number }
    const taken = { detail: 'PBS endpoint name already exists' }

    const again = await gateway.request('/pbs/endpoints', { method: 'POST', json: { ...whole, name: 'first' } })
    expect([again.status, await again.json()]).toEqual([400, taken])
    const renamed = await gateway.request(`/pbs/endpoints/${id}`, { method: 'PUT', json: { name: 'first' } })
    expect([renamed.status, await renamed.json()]).toEqual([400, taken])
    const kept = await gateway.request(`/pbs/endpoints/${id}`, { method: 'PUT', json: { name: 'second' } })
    expect(kept.status).toBe(200)
  })

  test('defaults are those of the contract, and TLS is verified', async () => {
    const { name, host, token_id, token_secret } = { ...whole, name: 'defaults' }
    const made = await gateway.request('/pbs/endpoints', {
      method: 'POST',
      json: { name, host, token_id, token_secret },
    })
    expect(await made.json()).toMatchObject({
      port: 8007,
      fingerprint: null,
      verify_ssl: true,
      enabled: true,
      timeout_seconds: 30,
    })
  })

  test.each([
    ['name', ''],
    ['host', 'https://pbs.example'],
    ['host', 'pbs.example:8007'],
    ['port', 0],
    ['port', 65536],
    ['token_id', 'root@pam'],
    ['token_secret', ''],
    ['token_secret', 'a b'],
    ['fingerprint', 'aa:bb'],
    ['timeout_seconds', 601],
    ['verify_ssl', 'yes'],
    ['verify_tls', true],
  ])('%s = %j is refused and named', async (field, value) => {
    const response = await gateway.request('/pbs/endpoints', {
      method: 'POST',
      json: { ...whole, name: 'refused', [field]: value },
    })
    const body = (await response.json()) as { detail: ReadonlyArray<{ loc: unknown; msg: string }> }
    expect([response.status, body.detail.every(({ loc }) => String(loc) === `body,${field}`)]).toEqual([422, true])
    expect(body.detail[0]?.msg).not.toBe('')
  })

  test.each([
    ['GET', '/pbs/endpoints?limit=101', ['query', 'limit']],
    ['GET', '/pbs/endpoints?offset=-1', ['query', 'offset']],
    ['GET', '/pbs/endpoints/x', ['path', 'endpoint_id']],
  ])('%s %s is refused', async (method, path, loc) => {
    const response = await gateway.request(path, { method })
    const body = (await response.json()) as { detail: ReadonlyArray<{ loc: unknown }> }
    expect([response.status, body.detail[0]?.loc]).toEqual([422, loc])
  })

  test('an id beyond every store is not found', async () => {
    expect((await gateway.request('/pbs/endpoints/99999999999')).status).toBe(404)
  })

  test('a body that is no JSON, and one that is too large', async () => {
    const broken = await gateway.request('/pbs/endpoints', { method: 'POST', body: '{' })
    expect(broken.status).toBe(422)
    const large = await gateway.request('/pbs/endpoints', { method: 'POST', json: { name: 'x'.repeat(300_000) } })
    expect(large.status).toBe(413)
  })

  const unstorable = ['\ud800', '\udc00x', 'a\0b']
  const fields = ['name', 'host', 'token_id', 'token_secret', 'fingerprint'] as const
  test.each(fields.flatMap((field) => unstorable.map((text) => [field, text] as const)))(
    '%s with %j is refused and named, in each request that takes it',
    async (field, text) => {
      const bad = { ...whole, name: 'unstorable', host: '127.0.0.1', port: 1, [field]: text }
      for (const [method, path, json] of [
        ['POST', '/pbs/endpoints', bad],
        ['POST', '/pbs/endpoints/test', bad],
        ['PUT', '/pbs/endpoints/1', { [field]: text }],
      ] as const) {
        const response = await gateway.request(path, { method, json })
        const { detail } = (await response.json()) as { detail: ReadonlyArray<{ loc: unknown }> }
        expect([path, response.status, detail[0]?.loc]).toEqual([path, 422, ['body', field]])
      }
    },
  )

  test.each([
    ['POST', '/pbs/sync/datastores', { servers: ['a', '\ud800'] }, ['body', 'servers', 1]],
    ['POST', '/pbs/sync/datastores', { netbox_branch_schema_id: '\0' }, ['body', 'netbox_branch_schema_id']],
    ['POST', '/pbs/sync/snapshots', { '\ud800': 1 }, ['body', '\ufffd']],
    ['POST', '/auth/register-key', { api_key: `${'k'.repeat(40)}\ud800` }, ['body', 'api_key']],
    ['POST', '/auth/register-key', { api_key: 'k'.repeat(40), label: '\0' }, ['body', 'label']],
    ['GET', '/pbs/sync/full?netbox_branch_schema_id=%00', undefined, ['query', 'netbox_branch_schema_id']],
  ])('%s %s with text that cannot be stored: %j', async (method, path, json, loc) => {
    const response = await gateway.request(path, { method, ...(json === undefined ? {} : { json }) })
    const { detail } = (await response.json()) as { detail: ReadonlyArray<{ loc: unknown }> }
    expect([response.status, detail[0]?.loc]).toEqual([422, loc])
  })

  test('a body that is not UTF-8, and one nested deeper than the stack', async () => {
    const notText = await gateway.request('/pbs/endpoints', { method: 'POST', body: Buffer.from([0x22, 0xff, 0x22]) })
    expect([notText.status, await notText.text()]).toEqual([422, expect.stringContaining('is not UTF-8')])
    const deep = `{"name":${'['.repeat(50_000)}"\\ud800"${']'.repeat(50_000)}}`
    expect((await gateway.request('/pbs/endpoints', { method: 'POST', body: deep })).status).toBe(422)
  })
})
