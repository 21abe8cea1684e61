import { join } from 'node:path'
import { builtFolder } from '@netbox-pbs/testing'
import { beforeAll, expect, inject, test } from 'vitest'
import { runPartsFrom } from '../src/child.ts'
import { ingest } from '../src/ingest/ingest.ts'
import { jsonLine } from '../src/report.ts'

beforeAll(async () => runPartsFrom(join(await builtFolder(), 'bench')))

test('three syncs of 500 snapshots are measured against their yardsticks', async () => {
  const databaseUrl = await (await fetch(inject('postgresAt'))).text()
  const lines = []
  for await (const result of ingest({ snapshots: 500, store: 'pg', databaseUrl, profiles: null })) {
    lines.push(JSON.parse(jsonLine(result)))
  }
  const measured = {
    bench: 'ingest pg',
    n: 500,
    seconds: expect.any(Number),
    rows_per_s: expect.any(Number),
    yardstick_seconds: expect.any(Number),
    ratio: expect.any(Number),
    cpu_seconds: expect.any(Number),
    peak_rss_mb: expect.any(Number),
  }
  const read = { yardstick: 'read and JSON.parse', yardstick_cpu_seconds: expect.any(Number) }
  expect(lines).toEqual([
    // each snapshot once, and their 25 groups, which are judged after that, 4 namespaces, 2 datastores and their server with their counts
    { ...measured, case: 'first', yardstick: 'COPY', rows_written: 611 },
    { ...measured, case: 'unchanged', ...read, rows_written: 0 },
    // five snapshots, the counters of their groups, and the digests of those
    { ...measured, case: 'changed_1pct', ...read, rows_written: 15 },
  ])
}, 60_000)

test('on PGlite also how long a reader waits during a sync', async () => {
  const lines = []
  for await (const result of ingest({ snapshots: 100, store: 'pglite', databaseUrl: null, profiles: null })) {
    lines.push(JSON.parse(jsonLine(result)))
  }
  expect(lines.map((line) => line.case)).toEqual(['first', 'unchanged', 'pglite_wait', 'changed_1pct'])
  const { p50_ms, p99_ms, max_ms } = lines[2]
  expect([p50_ms, p99_ms, max_ms].toSorted((a, b) => a - b)).toEqual([p50_ms, p99_ms, max_ms])
  expect(max_ms).toBeGreaterThan(0)
}, 180_000)
