import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startSimulator } from '../src/index.ts'
import { ask } from './client.ts'

test('the example of the README does what it says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme).toContain('snapshots: 500, seed: 1, now: 1_780_358_400, failureDelayMs: 0')
  expect(readme).toContain("kind: 'cut', match: { path: /\\/snapshots$/ }, afterBytes: 1000, times: 1")

  const pbs = await startSimulator({ snapshots: 500, seed: 1, now: 1_780_358_400, failureDelayMs: 0 })
  pbs.faults.add({ kind: 'cut', match: { path: /\/snapshots$/ }, afterBytes: 1000, times: 1 })
  await expect(ask(pbs, '/admin/datastore/tank/snapshots')).rejects.toThrow()
  expect((await ask(pbs, '/admin/datastore/tank/snapshots')).status).toBe(200)
  await pbs.close()
})
