import { expect, inject, test } from 'vitest'
import { jsonLine } from '../src/report.ts'
import { searches } from '../src/searches/searches.ts'

test('reads of one client are measured alone, and while eight others search; no search runs on when they have left', async () => {
  const databaseUrl = await (await fetch(inject('postgresAt'))).text()
  const lines = []
  for await (const result of searches({ snapshots: 1000, seconds: 1, databaseUrl }))
    lines.push(JSON.parse(jsonLine(result)))
  const reads = ['page', 'detail', 'page_of_server']
  expect(lines.map((line) => line.case)).toEqual([
    ...reads,
    ...reads.map((read) => `${read}_searches_given_up`),
    ...reads.map((read) => `${read}_searches`),
  ])
  // How many of them are answered in a second depends on the machine.
  const load = { yardstick: 'alone', answers: expect.any(Object), idle_after_ms: expect.any(Number) }
  for (const line of lines.slice(3)) expect(line).toMatchObject({ bench: 'searches pg', n: 1000, ...load })
}, 120_000)
