import { expect, inject, test } from 'vitest'
import { waiting } from '../src/ingest/waiting.ts'
import { jsonLine } from '../src/report.ts'

test('runs whose changes wait in a branch write nothing to main, and are compared with one that finds main unchanged', async () => {
  const databaseUrl = await (await fetch(inject('postgresAt'))).text()
  const lines = []
  for await (const result of waiting({ snapshots: 500, changes: 100, store: 'pg', databaseUrl })) {
    lines.push(JSON.parse(jsonLine(result)))
  }
  expect(lines.map((line) => [line.case, line.yardstick, line.rows_written])).toEqual([
    ['unchanged', undefined, 0],
    ['staged', undefined, 0],
    ['waiting_cold', 'unchanged in main', 0],
    ['waiting', 'unchanged in main', 0],
  ])
}, 60_000)
