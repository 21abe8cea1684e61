import { join } from 'node:path'
import { builtFolder } from '@netbox-pbs/testing'
import { beforeAll, expect, inject, test } from 'vitest'
import { runPartsFrom } from '../src/child.ts'
import { lists } from '../src/list/list.ts'
import { jsonLine } from '../src/report.ts'

beforeAll(async () => runPartsFrom(join(await builtFolder(), 'bench')))

test('pages, whole lists, and pages during writes are measured', async () => {
  const databaseUrl = await (await fetch(inject('postgresAt'))).text()
  const lines = []
  for await (const result of lists({ snapshots: 1000, seconds: 0.01, databaseUrl }))
    lines.push(JSON.parse(jsonLine(result)))
  const titles = new Set(lines.map((line) => line.case))
  expect(titles).toContain('any_page')
  for (const line of lines.filter(({ clients }) => clients !== undefined))
    expect(line).toMatchObject({ p50_ms: expect.any(Number), requests_per_s: expect.any(Number) })
  for (const title of ['cursor_walk', 'csv', 'ndjson']) expect(lines.find((line) => line.case === title)?.n).toBe(1000)
  for (const title of ['page_during_first_sync', 'page_during_merge'])
    expect(lines.find((line) => line.case === title)).toMatchObject({
      yardstick: 'p99 alone',
      ratio: expect.any(Number),
    })
}, 120_000)
