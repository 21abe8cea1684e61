import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import type { Frame } from '@netbox-pbs/proxbox-client/contract'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, ended, openSync, syncFrames } from './simulated.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `silent-${letter}`)
const options = { snapshots: 20, failureDelayMs: 0, now: 1_780_358_400 }

let well: Simulator
let silent: Simulator
let gateway: RunningGateway

/** More silent servers than the gateway has permits; each would be waited for longer than this test may take. */
beforeEach(async () => {
  well = await startSimulator({ ...options, name: 'well' })
  silent = await startSimulator({ ...options, name: 'silent' })
  silent.faults.add({ kind: 'hang' })
  gateway = await startGateway({ concurrency: { perServer: 2, total: 2 } })
  for (const name of names) await addEndpoint(gateway, silent, { name, timeout_seconds: 600 })
  await addEndpoint(gateway, well)
})
afterEach(async () => {
  await gateway.stop()
  await Promise.all([well.close(), silent.close()])
})

test('the list of servers gives the one that answers before all that are silent', async () => {
  const leaving = new AbortController()
  const response = await openSync(gateway, 'servers', {}, { signal: leaving.signal })
  const seen: Array<string> = []
  let rest = ''
  const decoder = new TextDecoder()
  for await (const bytes of response.body ?? []) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const frame: Frame = JSON.parse(line)
      if (frame.frame === 'server') seen.push(frame.name)
    }
    if (seen.length > 0) break
  }
  leaving.abort()
  expect(seen).toEqual(['well'])
})

test('what is listed of one that answers ends while all silent ones are still waited for', async () => {
  const leaving = new AbortController()
  const endedSilent: Array<string> = []
  const waits = names.map(async (name) => {
    const response = await openSync(gateway, 'jobs', { servers: [name] }, { signal: leaving.signal })
    await response.text()
    endedSilent.push(name)
  })
  // Each is being waited for.
  await vi.waitFor(() => expect(silent.counts.requests).toBeGreaterThanOrEqual(names.length), { timeout: 60_000 })
  for (const resource of ['servers', 'datastores', 'snapshots', 'jobs', 'tasks']) {
    const frames = await syncFrames(gateway, resource, { servers: ['well'] })
    expect(ended(frames, 'failed')).toEqual([])
    expect(frames.at(-1)?.frame).toBe('end')
  }
  expect(endedSilent).toEqual([])
  leaving.abort()
  await Promise.allSettled(waits)
})
