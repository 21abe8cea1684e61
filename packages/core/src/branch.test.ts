import { expect, test } from 'vitest'
import { branchName } from './branch.ts'

test.each([
  ['2026-05-01T02:10:00Z', 'pbs-sync-17-20260501T021000Z'],
  ['2026-05-01T02:10:00.250000Z', 'pbs-sync-17-20260501T021000Z'],
])('the branch of a run at %s is named %s', (at, name) => {
  expect(branchName('pbs-sync', 17, at)).toBe(name)
})
