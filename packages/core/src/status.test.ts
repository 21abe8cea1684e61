import { describe, expect, test } from 'vitest'
import { branchActions, branchAllows, branchStatuses, runActions, runAllows, runStatuses } from './status.ts'

const whileOpen = 'read edit stage check resolve sync approve merge close rename'

describe('a branch', () => {
  const rows = [
    ['open', whileOpen],
    ['in_review', whileOpen],
    ['ready', whileOpen],
    ['merged', 'revert rename'],
    ['no_changes', 'rename'],
    ['superseded', 'rename'],
    ['closed', 'rename'],
  ] as const

  test.each(rows)('that is %s allows: %s', (status, allowed) => {
    expect(branchActions.filter((action) => branchAllows({ status }, action))).toEqual(allowed.split(' '))
  })

  test('has these statuses alone', () => expect(branchStatuses).toEqual(rows.map(([status]) => status)))
})

describe('a run', () => {
  const rows = [
    ['pending', ['cancel', 'work']],
    ['running', ['cancel', 'work']],
    ['completed', []],
    ['incomplete', []],
    ['failed', []],
    ['cancelled', []],
  ] as const

  test.each(rows)('that is %s allows: %j', (status, allowed) => {
    expect(runActions.filter((action) => runAllows({ status }, action))).toEqual(allowed)
  })

  test('has these statuses alone', () => expect(runStatuses).toEqual(rows.map(([status]) => status)))
})
