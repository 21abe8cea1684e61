import { join } from 'node:path'
import { builtFolder } from '@netbox-pbs/testing'
import { beforeAll, expect, test } from 'vitest'
import { runPartsFrom } from '../src/child.ts'
import { gateway } from '../src/gateway/gateway-case.ts'
import { jsonLine } from '../src/report.ts'

beforeAll(async () => runPartsFrom(join(await builtFolder(), 'bench')))

test('the snapshots of a simulated server are measured against reading them from it', async () => {
  const result = await gateway({ snapshots: 300, perNamespace: null, line: null, rounds: 1, profiles: null })
  expect(JSON.parse(jsonLine(result))).toEqual({
    bench: 'gateway',
    case: 'snapshots',
    n: 300,
    seconds: expect.any(Number),
    rows_per_s: expect.any(Number),
    yardstick: 'read and JSON.parse',
    yardstick_seconds: expect.any(Number),
    ratio: expect.any(Number),
    peak_rss_mb: expect.any(Number),
    cpu_seconds: expect.any(Number),
    yardstick_cpu_seconds: expect.any(Number),
  })
}, 60_000)
