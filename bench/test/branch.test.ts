import { expect, inject, test } from 'vitest'
import { branch } from '../src/branch/branch.ts'
import { jsonLine } from '../src/report.ts'

test('a branch of 100 changes is measured from its opening to its merge, and its lists are compared with those of main', async () => {
  const databaseUrl = await (await fetch(inject('postgresAt'))).text()
  const lines = []
  for await (const result of branch({ snapshots: 1000, changes: [100, 5000], store: 'pg', databaseUrl })) {
    lines.push(JSON.parse(jsonLine(result)))
  }
  const cold = ['cold_page', 'cold_cursor', 'cold_comment']
  const lists = ['page', 'page_deep', 'page_newest', 'page_largest', 'count']
  expect(lines.map((line) => line.case)).toEqual([
    'open',
    'stage',
    ...cold,
    'stage_again',
    'list',
    ...lists,
    'conflicts',
    'resolve',
    'merge_dry_run',
    'merge',
    ...lists.map((title) => `${title}_head_deleted`),
  ])
  expect(lines.find((line) => line.case === 'open')).toMatchObject({
    bench: 'branch pg',
    n: 1000,
    yardstick: 'full copy',
  })
  // A tenth of the snapshots lie on the first server, and one more since the branch before has landed.
  expect(lines.filter((line) => line.yardstick === 'main').map((line) => line.changes)).toEqual([
    ...[...cold, ...lists].map(() => 100),
    ...lists.map(() => 101),
  ])
}, 60_000)
