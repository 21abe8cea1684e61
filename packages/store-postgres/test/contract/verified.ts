import { Effect } from 'effect'
import { expect } from 'vitest'
import { type CheckResult, verifyStored } from '../../src/verification/verify.ts'

/** What a verification found: the checks that are not clean, with their differences by row and field. */
export const findings = (results: ReadonlyArray<CheckResult>) =>
  results
    .filter(({ different, unknown }) => different + unknown > 0)
    .map(({ name, different, differences, unread }) => ({ name, different, differences, unread }))

/** Expects that all stored values of a database follow from its rows. */
export const expectVerified = Effect.map(verifyStored(), (results) => {
  const found = findings(results)
  expect(found, JSON.stringify(found)).toEqual([])
})
