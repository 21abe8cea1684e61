import { expect, test } from 'vitest'
import { addRows, noRows, type OutcomeCounts, runStatus, stagedChanges } from './run.ts'

const none: OutcomeCounts = { landed: 0, staged: 0, unchanged: 0, held_back: 0, failed: 0, skipped: 0, cancelled: 0 }

test.each<[Partial<OutcomeCounts>, string]>([
  [{}, 'completed'],
  [{ landed: 1 }, 'completed'],
  [{ staged: 1 }, 'completed'],
  [{ unchanged: 9 }, 'completed'],
  [{ skipped: 1 }, 'completed'],
  [{ landed: 1, staged: 1, unchanged: 1, skipped: 1 }, 'completed'],
  [{ held_back: 1 }, 'incomplete'],
  [{ landed: 5, held_back: 1 }, 'incomplete'],
  [{ failed: 1 }, 'failed'],
  [{ failed: 7 }, 'failed'],
  [{ failed: 1, unchanged: 1 }, 'incomplete'],
  [{ failed: 1, skipped: 1 }, 'incomplete'],
  [{ failed: 1, held_back: 1 }, 'incomplete'],
  [{ cancelled: 1 }, 'cancelled'],
  [{ landed: 9, failed: 1, cancelled: 1 }, 'cancelled'],
])('scopes that ended %j make a run %s', (outcomes, status) => {
  expect(runStatus({ ...none, ...outcomes })).toBe(status)
})

test('rows add up by kind', () => {
  const one = { created: 1, updated: 2, deleted: 3, unchanged: 4, held_back: 5 }
  expect(addRows(one, noRows)).toEqual(one)
  expect(addRows(one, one)).toEqual({ created: 2, updated: 4, deleted: 6, unchanged: 8, held_back: 10 })
})

test('changes that wait count alike, whatever they do', () => {
  expect(stagedChanges({ created: 1, updated: 2, deleted: 3 })).toBe(6)
})
