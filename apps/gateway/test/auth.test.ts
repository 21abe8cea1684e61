import { request } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { key, type RunningGateway, startGateway } from './running-gateway.ts'

let gateway: RunningGateway
afterEach(() => gateway.stop())

const ask = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${gateway.url}${path}`, { headers })
  return [response.status, await response.json(), response.headers.get('retry-after')] as const
}

const register = async (body: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`${gateway.url}/auth/register-key`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers,
  })
  return [response.status, await response.json()] as const
}

describe('without any key stored', () => {
  test('the first key is registered, once, and then opens', async () => {
    gateway = await startGateway({ withKey: false })
    expect(await ask('/auth/bootstrap-status')).toEqual([200, { needs_bootstrap: true, has_db_keys: false }, null])
    const none = 'No API key configured. Register a key via POST /auth/register-key or use an existing key.'
    expect(await ask('/pbs/endpoints')).toEqual([401, { detail: none }, null])
    expect(await ask('/pbs/endpoints', { 'x-proxbox-api-key': key })).toEqual([401, { detail: none }, null])

    for (const header of ['origin', 'x-forwarded-for']) {
      expect((await register({ api_key: key, label: 'x' }, { [header]: 'http://elsewhere.example' }))[0]).toBe(403)
    }
    expect((await register({ api_key: 'short', label: 'x' }))[0]).toBe(400)
    expect((await register({ label: 'x' }))[0]).toBe(422)
    expect((await register({ api_key: key, label: 'worker' }))[0]).toBe(201)
    expect((await register({ api_key: `${key}2`, label: 'other' }))[0]).toBe(409)

    expect(await ask('/auth/bootstrap-status')).toEqual([200, { needs_bootstrap: false, has_db_keys: true }, null])
    expect(await ask('/pbs/endpoints', { 'x-proxbox-api-key': key })).toEqual([200, [], null])
  })
})

describe('with a key', () => {
  test('either header opens; the roads without a key stay open', async () => {
    gateway = await startGateway()
    expect((await ask('/pbs/status', { 'x-proxbox-api-key': key }))[0]).toBe(200)
    expect((await ask('/pbs/status', { authorization: `Bearer ${key}` }))[0]).toBe(200)
    expect(await ask('/health')).toEqual([200, { status: 'ready' }, null])
    expect((await ask('/'))[0]).toBe(200)
    expect((await ask('/version'))[0]).toBe(401)
    expect(await ask('/nowhere', { 'x-proxbox-api-key': key })).toEqual([404, { detail: 'Not Found' }, null])
  })

  test('wrong keys are counted, then the address has to wait', async () => {
    gateway = await startGateway({ failureLimits: { attempts: 2, seconds: 300 } })
    const wrong = { 'x-proxbox-api-key': 'wrong' }
    expect(await ask('/pbs/status')).toEqual([401, { detail: 'API key required. 2 attempts remaining.' }, null])
    expect(await ask('/pbs/status', wrong)).toEqual([401, { detail: 'Invalid API key. 1 attempts remaining.' }, null])
    expect(await ask('/pbs/status', wrong)).toEqual([401, { detail: 'Invalid API key. 0 attempts remaining.' }, null])
    const [status, body, retryAfter] = await ask('/pbs/status', wrong)
    expect([status, body]).toEqual([
      429,
      { detail: 'Too many failed authentication attempts. Please try again later.' },
    ])
    expect(Number(retryAfter)).toBeGreaterThan(290)
  })

  test('after five wrong keys the right one passes from the same address, also from behind the same proxy', async () => {
    gateway = await startGateway()
    for (let attempt = 1; attempt <= 7; attempt += 1) {
      const [status] = await ask('/pbs/status', { 'x-proxbox-api-key': 'an old key' })
      expect([attempt, status]).toEqual([attempt, attempt <= 5 ? 401 : 429])
    }
    expect((await ask('/pbs/status', { 'x-proxbox-api-key': key }))[0]).toBe(200)
    expect((await ask('/pbs/status', { 'x-proxbox-api-key': 'another' }))[0]).toBe(401)
  })

  test('a right key forgives wrong ones that begin like it', async () => {
    gateway = await startGateway({ failureLimits: { attempts: 2, seconds: 300 } })
    const typo = { 'x-proxbox-api-key': `${key}x` }
    await ask('/pbs/status', typo)
    await ask('/pbs/status', { 'x-proxbox-api-key': key })
    expect(await ask('/pbs/status', typo)).toEqual([401, { detail: 'Invalid API key. 1 attempts remaining.' }, null])
  })
})

/** The status of a request for a host; fetch sets that header itself. */
const statusFor = (host: string, path: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const sent = request(`${gateway.url}${path}`, { headers: { host, 'x-proxbox-api-key': key } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject).end()
  })

test('a request is for a host of this system: a loopback name, or one that the operator named', async () => {
  gateway = await startGateway({ allowedHosts: ['gateway.lan', '.example.com'] })
  for (const host of ['localhost', '127.0.0.1:8800', '[::1]:8800', 'gateway.lan:8800', 'a.example.com']) {
    expect([host, await statusFor(host, '/pbs/endpoints')]).toEqual([host, 200])
  }
  for (const path of ['/', '/health', '/auth/bootstrap-status', '/pbs/endpoints']) {
    expect([path, await statusFor('rebound.example', path)]).toEqual([path, 400])
  }
})
