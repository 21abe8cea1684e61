import { expect, test } from 'vitest'
import { lastRunState } from './last-run-state.ts'

test.each([
  [null, null, 'never'],
  [null, 'UPID:…', 'running'],
  ['OK', 'UPID:…', 'ok'],
  ['WARNINGS: 2', 'UPID:…', 'warning'],
  ['WARNINGS: many', 'UPID:…', 'error'],
  ['unknown', 'UPID:…', 'unknown'],
  ['connection refused', 'UPID:…', 'error'],
  ['OK', null, 'ok'],
])('state %j of task %j is %s', (state, upid, expected) => {
  expect(lastRunState(state, upid)).toBe(expected)
})
