import { expect, inject, test } from 'vitest'
import { jsonLine } from '../src/report.ts'
import { writes } from '../src/writes/writes.ts'

const cases = ['main', 'branch'].flatMap((place) =>
  ['create', 'update', 'delete'].map((step) => `${step}_1000_in_${place}`),
)

test('a thousand objects are written with one request, and forty with one each', async () => {
  const databaseUrl = await (await fetch(inject('postgresAt'))).text()
  const lines = []
  for await (const result of writes({ snapshots: 1000, store: 'pg', repeat: 1, databaseUrl }))
    lines.push(JSON.parse(jsonLine(result)))
  expect(lines.map((line) => line.case)).toEqual(cases)
  for (const line of lines) expect(line).toMatchObject({ bench: 'writes pg', n: 1000, yardstick: 'one at a time' })
}, 120_000)
