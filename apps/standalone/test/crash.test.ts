import { expect, test, vi } from 'vitest'
import { crash } from './crash/crash-run.ts'

// Real processes that wait for each other, on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 600_000 })

test('workers, gateway and database killed in the middle of syncs: every scope is as before or as its source, and all is well in the end', async () => {
  const lines: Array<string> = []
  const often = { kills: 3, restarts: 1, gatewayKills: 1, perRound: 5, quietFirst: true }
  const options = { servers: 6, snapshots: 3000, seed: 5, ...often }
  const { faults, ...counted } = await crash(options, (line) => lines.push(line))
  expect(faults, lines.join('\n')).toEqual([])
  expect(counted.kills, lines.join('\n')).toBe(5)
  expect(counted.looks).toBe(5)
})
