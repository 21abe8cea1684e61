import { expect, test } from 'vitest'
import { classifyLastRun } from './last-run-state.ts'

test.each([
  [{}, 'never'],
  [{ state: null, upid: null }, 'never'],
  [{ upid: 'UPID:…' }, 'running'],
  [{ state: 'OK', upid: 'UPID:…' }, 'ok'],
  [{ state: 'WARNINGS: 2', upid: 'UPID:…' }, 'warning'],
  [{ state: 'WARNINGS: many', upid: 'UPID:…' }, 'error'],
  [{ state: 'unknown', upid: 'UPID:…' }, 'unknown'],
  [{ state: 'connection refused', upid: 'UPID:…' }, 'error'],
  [{ state: 'OK' }, 'ok'],
])('%j is %s', (run, expected) => {
  expect(classifyLastRun(run)).toBe(expected)
})
