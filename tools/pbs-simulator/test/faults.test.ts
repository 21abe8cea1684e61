import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../src/index.ts'
import { ask, read } from './client.ts'

let sim: Simulator

beforeAll(async () => {
  sim = await startSimulator({ snapshots: 200, failureDelayMs: 0, now: 1_780_358_400 })
})
afterEach(() => sim.faults.clear())
afterAll(() => sim.close())

const list = '/admin/datastore/tank/snapshots'

describe('connections', () => {
  test('refuse resets them as they are made, so many times', async () => {
    sim.faults.add({ kind: 'refuse', times: 1 })
    await expect(ask(sim, '/version')).rejects.toThrow(/ECONNRESET|socket hang up|disconnected/)
    expect((await ask(sim, '/version')).status).toBe(200)
  })

  test('a paused server does not listen, a resumed one has its old port', async () => {
    await sim.pause()
    await expect(ask(sim, '/version')).rejects.toThrow(/ECONNREFUSED/)
    await sim.resume()
    expect((await ask(sim, '/version')).status).toBe(200)
  })

  test('reset breaks a request', async () => {
    sim.faults.add({ kind: 'reset', match: { path: '/version' } })
    await expect(ask(sim, '/version')).rejects.toThrow(/ECONNRESET|socket hang up/)
    expect((await ask(sim, '/ping')).status).toBe(200)
  })

  test('hang never answers', async () => {
    sim.faults.add({ kind: 'hang', match: { path: '/version' }, times: 1 })
    const requested = ask(sim, '/version', { signal: AbortSignal.timeout(150) })
    await expect(requested).rejects.toThrow(/abort/i)
    expect((await ask(sim, '/version')).status).toBe(200)
  })
})

describe('rows', () => {
  const vms = async () => {
    const rows = (await read(sim, list)) as ReadonlyArray<Record<string, unknown> | null>
    return rows.filter((row) => row === null || row['backup-id'] === '906')
  }

  test('one of them gets other fields, or is something else', async () => {
    const whole = await vms()
    const [time] = whole.map((row) => Number(row?.['backup-time']))
    const where = { 'backup-id': '906', 'backup-time': time ?? 0 }
    sim.faults.add({ kind: 'row', match: { path: list }, where, set: { size: -1 }, times: 1 })
    const odd = await vms()
    expect(odd.map((row) => row?.['size']).filter((size) => size === -1)).toEqual([-1])
    expect(odd).toHaveLength(whole.length)

    sim.faults.add({ kind: 'row', match: { path: list }, where, set: null, times: 1 })
    expect((await vms()).filter((row) => row === null)).toEqual([null])
    expect(await vms()).not.toContain(null)
  })
})

describe('bodies', () => {
  test('cut ends the connection after so many bytes', async () => {
    const seen: Buffer[] = []
    sim.faults.add({ kind: 'cut', match: { path: list }, afterBytes: 1000 })
    await expect(ask(sim, list)).rejects.toThrow(/aborted|ECONNRESET/)
    // The bytes before the cut do arrive.
    const { request } = await import('node:https')
    await new Promise<void>((resolve) => {
      const { tokenId, secret } = sim.tokens.audit
      const headers = { authorization: `PBSAPIToken=${tokenId}:${secret}` }
      request(`${sim.url}/api2/json${list}`, { rejectUnauthorized: false, headers }, (response) => {
        response.on('data', (chunk: Buffer) => seen.push(chunk))
        response.on('error', () => resolve())
      }).end()
    })
    expect(Buffer.concat(seen)).toHaveLength(1000)
  })

  test('truncate ends properly, with broken JSON', async () => {
    sim.faults.add({ kind: 'truncate', match: { path: list }, afterBytes: 1000 })
    const answer = await ask(sim, list)
    expect([answer.status, answer.bytes.length]).toEqual([200, 1000])
    expect(() => JSON.parse(answer.text)).toThrow()
  })

  test('truncate works on replies with a length, too', async () => {
    sim.faults.add({ kind: 'truncate', match: { path: '/version' }, afterBytes: 10 })
    expect((await ask(sim, '/version')).text).toBe('{"data":{"')
  })

  test('slow sends the whole body in small pieces', async () => {
    const expected = await ask(sim, '/admin/datastore/fresh/gc')
    sim.faults.add({ kind: 'slow', delayMs: 40, chunkBytes: 100, intervalMs: 10 })
    const start = performance.now()
    const answer = await ask(sim, '/admin/datastore/fresh/gc')
    expect(answer.text).toBe(expected.text)
    expect(performance.now() - start).toBeGreaterThanOrEqual(40 + 10 * Math.floor(expected.bytes.length / 100) - 2)
  })

  test('endless goes on until the client leaves', async () => {
    sim.faults.add({ kind: 'endless', match: { path: list } })
    let bytes = 0
    const { request } = await import('node:https')
    await new Promise<void>((resolve) => {
      const requested = request(`${sim.url}/api2/json${list}`, { rejectUnauthorized: false }, (response) => {
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > 2_000_000) requested.destroy()
        })
        response.on('close', () => resolve())
      })
      requested.on('error', () => undefined)
      requested.end()
    })
    expect(bytes).toBeGreaterThan(2_000_000)
    sim.faults.clear()
    expect((await ask(sim, '/version')).status).toBe(200)
  })
})

describe('other answers', () => {
  test('a status with a text', async () => {
    sim.faults.add({ kind: 'status', status: 503, body: 'overloaded', headers: { 'retry-after': '5' }, times: 2 })
    const answer = await ask(sim, '/version')
    expect([answer.status, answer.text, answer.headers['retry-after']]).toEqual([503, 'overloaded', '5'])
    expect((await ask(sim, '/version')).status).toBe(503)
    expect((await ask(sim, '/version')).status).toBe(200)
  })

  test('a page of a proxy', async () => {
    sim.faults.add({ kind: 'html' })
    const answer = await ask(sim, '/version')
    expect([answer.status, answer.headers['content-type']]).toEqual([502, 'text/html'])
  })

  test('a redirect', async () => {
    sim.faults.add({ kind: 'redirect', location: 'https://elsewhere.example.net/' })
    const answer = await ask(sim, '/version')
    expect([answer.status, answer.headers.location]).toEqual([302, 'https://elsewhere.example.net/'])
  })

  test('another body', async () => {
    sim.faults.add({ kind: 'body', body: '{"data":null}' })
    expect(await read(sim, '/version')).toBeNull()
  })
})

describe('matching', () => {
  test('by method, pattern and query; the first match counts', async () => {
    sim.faults.add({ kind: 'status', status: 500, match: { path: /\/snapshots$/, query: { ns: 'site-b' } } })
    sim.faults.add({ kind: 'status', status: 502, match: { path: /^\/admin\/datastore\/tank/ } })
    sim.faults.add({ kind: 'status', status: 504, match: { method: 'POST' } })
    expect((await ask(sim, `${list}?ns=site-b`)).status).toBe(500)
    expect((await ask(sim, `${list}?ns=site-a`)).status).toBe(502)
    expect((await ask(sim, '/version')).status).toBe(200)
    expect((await ask(sim, '/version', { method: 'POST' })).status).toBe(504)
  })

  test('a malformed fault is refused', () => {
    expect(() => sim.faults.add({ kind: 'status', status: 99 })).toThrow()
    expect(sim.faults.active()).toEqual([])
  })
})

describe('the record', () => {
  test('tells what was asked, without header values', async () => {
    sim.discardRequests()
    await ask(sim, '/admin/gc?store=tank')
    await ask(sim, '/ping', { token: null })
    expect(sim.requests).toEqual([
      {
        method: 'GET',
        path: '/api2/json/admin/gc',
        query: { store: 'tank' },
        authorizationSeen: true,
        headers: ['authorization', 'host', 'connection'],
      },
      { method: 'GET', path: '/api2/json/ping', query: {}, authorizationSeen: false, headers: ['host', 'connection'] },
    ])
    expect(sim.counts).toEqual({ requests: 2, connections: 2, tlsConnections: 2 })
    expect(JSON.stringify(sim.requests)).not.toContain(sim.tokens.audit.secret)
  })

  test('a connection without a handshake is no TLS connection', async () => {
    sim.discardRequests()
    await new Promise<void>((resolve) => {
      const socket = connect(sim.port, sim.host, () => socket.end())
      socket.on('close', () => resolve())
    })
    expect(sim.counts).toEqual({ requests: 0, connections: 1, tlsConnections: 0 })
  })
})
