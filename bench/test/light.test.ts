import { join } from 'node:path'
import { builtFolder } from '@netbox-pbs/testing'
import { beforeAll, expect, inject, test } from 'vitest'
import { runPartsFrom } from '../src/child.ts'
import { light } from '../src/light/light.ts'
import { jsonLine } from '../src/report.ts'

beforeAll(async () => runPartsFrom(join(await builtFolder(), 'bench')))

test('light runs ask for lists of groups, and for the snapshots of changed groups only', async () => {
  const databaseUrl = await (await fetch(inject('postgresAt'))).text()
  const lines = []
  for await (const result of light({ snapshots: 4000, store: 'pg', databaseUrl })) {
    lines.push(JSON.parse(jsonLine(result)))
  }
  expect(lines.map(({ case: title, requests }) => [title, requests.groups, requests.snapshots])).toEqual([
    ['first', 2, 2],
    ['full_unchanged', 2, 2],
    // One namespace is empty, which both lists must say.
    ['light_unchanged', 2, 1],
    ['light_1pct', 2, 3],
  ])
  expect(lines.map((line) => line.rows_written > 0)).toEqual([true, false, false, true])
})
