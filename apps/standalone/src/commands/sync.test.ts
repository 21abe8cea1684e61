import { expect, test } from 'vitest'
import { foldScopes } from './sync.ts'

const scope = (display: string, value: string, message: string | null) => ({
  display,
  outcome: { value, label: value },
  reason: message === null ? null : { message },
})

test('scopes that ended alike for one reason are one line', () => {
  const lines = foldScopes([
    scope('datastores of a', 'failed', 'it hangs'),
    scope('jobs of a', 'failed', 'not asked: it hangs'),
    scope('tasks of a', 'failed', 'not asked: it hangs'),
    scope('tasks of b', 'held_back', 'it hangs'),
    scope('tasks of c', 'unchanged', null),
    scope('jobs of c', 'unchanged', null),
  ])
  expect(lines.map(({ display, outcome, reason }) => [display, outcome.value, reason?.message ?? ''])).toEqual([
    ['datastores of a and 2 more', 'failed', 'it hangs'],
    ['tasks of b', 'held_back', 'it hangs'],
    ['tasks of c', 'unchanged', ''],
    ['jobs of c', 'unchanged', ''],
  ])
})
