import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { profiles, startSimulator } from '../src/index.ts'
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

test.each([
  'tools/pbs-simulator/README.md',
  'CONTRIBUTING.md',
  'packages/pbs-client/README.md',
  'packages/pbs-client/src/pbs-error.ts',
])('%s names the newest release', (file) => {
  const text = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
  const named = [...text.matchAll(/\b2\.(?:4|x) to (\d+\.\d+)/g)].map(([, newest]) => newest)
  expect(new Set(named)).toEqual(new Set([profiles.at(-1)]))
})
