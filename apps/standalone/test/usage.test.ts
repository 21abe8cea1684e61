import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allRows, connect, request, syncAndWait } from './support/rest.ts'
import { newHome, type RunningSystem, startSystem } from './support/running-system.ts'

let pbs: Simulator
let running: RunningSystem

beforeAll(async () => {
  // Points are kept for a while from now on, so the server must live now.
  pbs = await startSimulator({ name: 'pbs-a', seed: 41, snapshots: 20, now: Math.floor(Date.now() / 1000) })
  running = await startSystem(newHome({}))
  await connect(running, pbs)
})
afterAll(async () => {
  await running.stop()
  await pbs.close()
})

interface Point {
  readonly time: string
  readonly used_bytes: number
  readonly total_bytes: number
}

/** A page, as a browser that signs in for it gets it. */
async function pageText(path: string): Promise<string> {
  const signedIn = await fetch(new URL('/plugins/pbs/login/', running.url), {
    method: 'POST',
    redirect: 'manual',
    headers: { Origin: running.url },
    body: new URLSearchParams({ token: running.token }),
  })
  const Cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const page = await fetch(new URL(path, running.url), { headers: { Cookie } })
  expect(page.status).toBe(200)
  return page.text()
}

test('how full a datastore was is read, served and drawn, and stays when PBS has forgotten it', async () => {
  const store = pbs.state.datastores.find(({ usage }) => usage.history.length > 0)
  if (store === undefined) throw new Error('the simulated server keeps no history')
  const { history, historyStart, total } = store.usage
  expect((await syncAndWait(running, { resources: ['datastores'] })).error).toBe('')
  const row = (await allRows(running, 'datastores')).find(({ name }) => name === store.name)
  const path = `/api/plugins/pbs/datastores/${row?.id}/usage/`
  const points = async () => {
    const { status, json } = await request(running, 'GET', `${path}?limit=1000`)
    expect(status).toBe(200)
    return json as { readonly count: number; readonly results: ReadonlyArray<Point> } // border: a test reads what it asserts
  }

  const first = await points()
  const slot = 6 * 3600
  const wholeSlots = Math.floor((historyStart + (history.length - 1) * 1800) / slot) - Math.ceil(historyStart / slot)
  expect(first.count).toBe(wholeSlots)
  expect(first.results.map(({ time }) => time)).toEqual(
    first.results.map(({ time }) => time).toSorted((a, b) => (a < b ? 1 : -1)),
  )
  const [newest] = first.results
  const begin = (Date.parse(newest?.time ?? '') / 1000 - historyStart) / 1800
  const shares = history.slice(begin, begin + slot / 1800).filter((share) => share !== null)
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  expect(newest).toEqual({ time: newest?.time, used_bytes: Math.round(mean * total), total_bytes: total })
  const page = (await request(running, 'GET', `${path}?limit=2&offset=1`)).json
  expect(page).toMatchObject({
    count: first.count,
    next: expect.stringContaining(`${path}?limit=2&offset=3`),
    previous: expect.stringContaining(`${path}?limit=2`),
    results: first.results.slice(1, 3),
  })

  const { pathname } = new URL(String(row?.['display_url']))
  const drawn = await pageText(pathname)
  expect(drawn).toContain('<title id="usage-history-title">Usage over time. From ')
  expect(drawn).toContain('role="img"')
  expect(await pageText('/plugins/pbs/servers/')).not.toContain('usage-history')

  const [before] = (await allRows(running, 'datastores')).filter(({ name }) => name === store.name)
  expect(before).toMatchObject({ used_bytes: expect.any(Number), usage_at: before?.['last_seen_at'] })
  pbs.faults.add({ kind: 'status', status: 500, body: 'statfs failed', match: { path: '/status/datastore-usage' } })
  pbs.faults.add({ kind: 'status', status: 500, body: 'statfs failed', match: { path: /\/status$/ } })
  const untold = await syncAndWait(running, { resources: ['datastores'] })
  expect(untold.warnings.map(({ message }) => message).join()).toMatch(
    /usage of .* stays as last known: .*statfs failed/,
  )
  const [after] = (await allRows(running, 'datastores')).filter(({ name }) => name === store.name)
  expect(after).toMatchObject({ used_bytes: before?.['used_bytes'], usage_at: before?.['usage_at'] })
  expect(Date.parse(String(after?.['last_seen_at']))).toBeGreaterThan(Date.parse(String(after?.['usage_at'])))
  const asOf = `as of ${String(before?.['usage_at']).slice(0, 19).replace('T', ' ')}`
  expect(await pageText(pathname)).toContain(asOf)
  expect(await pageText('/plugins/pbs/datastores/')).toContain(asOf)
  pbs.faults.clear()

  store.usage.total = total * 2
  await syncAndWait(running, { resources: ['datastores'] })
  expect(await points()).toEqual(first)
  store.usage.history = []
  await syncAndWait(running, { resources: ['datastores'] })
  expect(await points()).toEqual(first)
  expect((await request(running, 'GET', '/api/plugins/pbs/datastores/999999/usage/')).status).toBe(404)
}, 120_000)
