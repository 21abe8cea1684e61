import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { deliveryStates } from '../packages/core/src/events/delivery.ts'
import { scopeOutcomes } from '../packages/core/src/scope.ts'
import { branchStates, runStates } from '../packages/core/src/status.ts'
import { heldStates } from '../packages/core/src/sync/judge-deletions.ts'

const architecture = readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8')
const states = architecture.slice(architecture.indexOf('## States'), architecture.indexOf('## The way of a sync'))

/** The rows of the table under a heading: the names in the first column, and what the second says of them. */
function rowsOf(heading: string): ReadonlyArray<readonly [names: ReadonlyArray<string>, meaning: string]> {
  const [, table = ''] = states.split(`| ${heading} | |\n| --- | --- |\n`)
  const [rows = ''] = table.split('\n\n')
  return [...rows.matchAll(/^\| (.*?) \| (.*) \|$/gm)].map(([, names = '', meaning = '']) => [
    [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    meaning,
  ])
}

test.each([
  ['run', runStates],
  ['branch', branchStates],
  ['delivery', deliveryStates],
])('ARCHITECTURE.md says of each status of a %s what the table of core says', (heading, table) => {
  const expected = Object.entries(table).map(([status, { meaning }]) => [[status], meaning])
  expect(rowsOf(heading)).toEqual(expected)
})

test.each([
  ['scope of a run', scopeOutcomes],
  ['held deletions', heldStates],
])('ARCHITECTURE.md explains each state of: %s', (heading, names) => {
  expect(rowsOf(heading).flatMap(([listed]) => listed)).toEqual(names)
})
