import { get, request as httpRequest, type IncomingMessage } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { key, type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, ended, openSync, syncFrames } from './simulated.ts'

let pbs: Simulator
let gateway: RunningGateway
afterEach(async () => {
  await gateway.stop()
  await pbs.close()
})

const start = async (snapshots: number, perServer = 4) => {
  pbs = await startSimulator({ snapshots, failureDelayMs: 30, now: 1_780_358_400 })
  gateway = await startGateway({ concurrency: { perServer } })
  await addEndpoint(gateway, pbs, { timeout_seconds: 60 })
}

/** A client that reads nothing until told. */
const lazyClient = (path: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = { 'x-proxbox-api-key': key, accept: 'application/x-ndjson' }
    const sent = httpRequest(`${gateway.url}${path}`, { method: 'POST', headers }, (response) =>
      resolve(response.pause()),
    )
    sent.on('error', reject)
    sent.end()
  })

/**
 * Waits until PBS has not been asked anything for so many turns of the event loop, which serves it and the gateway
 * alike, and says how often it was.
 */
const untilQuiet = async (): Promise<number> => {
  let [last, same] = [-1, 0]
  while (same < 5000) {
    await setImmediate()
    const { requests } = pbs.counts
    same = requests === last ? same + 1 : 0
    last = requests
  }
  return last
}

describe('a client that does not read', () => {
  test('stops the reading at PBS; one that leaves ends it', async () => {
    await start(120_000)
    const response = await lazyClient('/pbs/sync/snapshots')
    const requests = await untilQuiet()
    const groups = pbs.state.datastores.flatMap((store) => store.namespaces.flatMap((namespace) => namespace.groups))
    expect(requests).toBeLessThan(groups.length / 2)

    response.destroy()
    expect((await untilQuiet()) - requests).toBeLessThanOrEqual(4)
  })
})

describe('a client that leaves', () => {
  const hang = { kind: 'hang', times: 1, match: { path: /groups/ } } as const

  test.each([['application/x-ndjson'], ['application/json']])('frees the server at once: %s', async (accept) => {
    await start(100, 1)
    pbs.faults.add(hang)
    const leaving = new AbortController()
    const waiting = gateway
      .request('/pbs/sync/snapshots', { method: 'POST', headers: { accept }, signal: leaving.signal })
      .then((reply) => reply.text())
      .catch(() => 'left')
    await vi.waitUntil(() => pbs.requests.some(({ path }) => path.endsWith('/groups')))
    leaving.abort()
    expect(await waiting).toBe('left')

    // The only permit of this server was held by the request that hangs, for a minute unless it was given up.
    const before = performance.now()
    expect(ended(await syncFrames(gateway, 'datastores'), 'complete')).toEqual(['datastores'])
    expect(performance.now() - before).toBeLessThan(30_000)
  })

  test('together with the gateway, which does not wait for the minute either', async () => {
    await start(100)
    pbs.faults.add({ ...hang, times: 100 })
    const reply = await openSync(gateway, 'snapshots')
    const before = performance.now()
    await gateway.stop()
    expect(performance.now() - before).toBeLessThan(30_000)
    await expect(reply.text()).rejects.toThrow()
  })
})

test('many requests at once stay within the bound of the server', async () => {
  await start(300, 2)
  await Promise.all(Array.from({ length: 6 }, () => syncFrames(gateway, 'snapshots')))
  expect(pbs.counts.connections).toBeLessThanOrEqual(2)
})

test('a stopped gateway does not answer', async () => {
  await start(50)
  await gateway.stop()
  const error = await new Promise((resolve) => get(`${gateway.url}/health`, () => resolve(null)).on('error', resolve))
  expect(error).toMatchObject({ code: 'ECONNREFUSED' })
})
