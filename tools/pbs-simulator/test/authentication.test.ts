import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../src/index.ts'
import { ask, askRaw } from './client.ts'

let sim: Simulator
let old: Simulator

beforeAll(async () => {
  const quick = { snapshots: 40, failureDelayMs: 0, now: 1_780_358_400 }
  sim = await startSimulator(quick)
  old = await startSimulator({ ...quick, name: 'pbs-b', profile: '3.2' })
})
afterAll(async () => {
  await sim.close()
  await old.close()
})

const { tokenId, secret } = { tokenId: 'inventory@pbs!reader', secret: () => sim.tokens.audit.secret }

describe('the Authorization header', () => {
  test.each([
    ['the = form', () => `PBSAPIToken=${tokenId}:${secret()}`, 200],
    ['the space form', () => `PBSAPIToken ${tokenId}:${secret()}`, 200],
    ['a percent-encoded secret', () => `PBSAPIToken=${tokenId}:${secret().replaceAll('-', '%2D')}`, 200],
    ['another separator', () => `PBSAPIToken:${tokenId}:${secret()}`, 401],
    ['the form of PVE', () => `PBSAPIToken=${tokenId}=${secret()}`, 401],
    ['two separators', () => `PBSAPIToken= ${tokenId}:${secret()}`, 401],
    ['a wrong secret', () => `PBSAPIToken=${tokenId}:${secret().replace(/.$/, '_')}`, 401],
    ['a wrong token name', () => `PBSAPIToken=inventory@pbs!writer:${secret()}`, 401],
    ['a user instead of a token', () => `PBSAPIToken=inventory@pbs:${secret()}`, 401],
    ['a secret that is no percent-encoding', () => `PBSAPIToken=${tokenId}:%zz`, 401],
    ['another scheme', () => `Bearer ${secret()}`, 401],
    ['lower case', () => `pbsapitoken=${tokenId}:${secret()}`, 401],
  ])('%s', async (_title, authorization, status) => {
    const answer = await ask(sim, '/version', { token: null, headers: { authorization: authorization() } })
    expect(answer.status).toBe(status)
  })

  test('a disabled token is refused', async () => {
    expect((await ask(sim, '/version', { token: sim.tokens.disabled })).status).toBe(401)
  })

  test('an expired owner takes its tokens with it', async () => {
    const owner = old.state.accounts.find(({ authId }) => authId === 'inventory@pbs')
    if (owner === undefined) throw new Error('no owner')
    owner.expire = old.state.now
    expect((await ask(old, '/version')).status).toBe(401)
    owner.expire = 0
    expect((await ask(old, '/version')).status).toBe(200)
  })
})

describe('a refusal', () => {
  test('is plain text without content type, and clears the cookie on new releases', async () => {
    const { status, text, headers } = await ask(sim, '/version', { token: null })
    expect([status, text, headers['content-type']]).toEqual([401, 'authentication failed', undefined])
    expect(headers['set-cookie']?.[0]).toMatch(/^__Host-PBSAuthCookie=;/)
  })

  test('says why on old releases', async () => {
    const { status, text, headers } = await ask(old, '/version', { token: null })
    expect(status).toBe(401)
    expect(text).toBe('authentication failed - no authentication credentials provided.')
    expect(headers['set-cookie']).toBeUndefined()
  })

  test('comes before routing: an unknown path is a 404 only to those who are known', async () => {
    expect((await ask(sim, '/nonsense', { token: null })).status).toBe(401)
    const { status, text } = await ask(sim, '/nonsense')
    expect([status, text]).toEqual([404, "Path '/api2/json/nonsense' not found."])
  })

  test('an unknown method is a 404 too', async () => {
    expect((await ask(sim, '/version', { method: 'PUT' })).status).toBe(404)
    expect((await ask(sim, '/version', { method: 'HEAD' })).status).toBe(404)
  })

  test('ping needs no credentials', async () => {
    expect((await ask(sim, '/ping', { token: null })).text).toBe('{"data":{"pong":true}}')
  })

  test('a 401 and a 403 wait, in the proportion of the real server', async () => {
    const slow = await startSimulator({ snapshots: 40, failureDelayMs: 300 })
    const start = performance.now()
    expect((await ask(slow, '/version', { token: null })).status).toBe(401)
    const unauthorized = performance.now()
    expect((await ask(slow, '/nodes')).status).toBe(403)
    const forbidden = performance.now()
    await slow.close()
    expect(unauthorized - start).toBeGreaterThanOrEqual(299)
    expect(forbidden - unauthorized).toBeGreaterThanOrEqual(49)
  })
})

describe('before credentials', () => {
  test.each([
    ['another format', '/api2/xml/version', 400, "Unsupported output format 'xml'."],
    ['a hidden segment', '/api2/json/..%2f/version', 400, 'Path contains illegal components.'],
    ['an overlong target', `/api2/json/version?x=${'a'.repeat(3072)}`, 414, ''],
  ])('%s', async (_title, path, status, text) => {
    const answer = await askRaw(sim, path, { token: null })
    expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([status, text, undefined])
  })
})
