import { expect, test } from 'vitest'
import { roleAllows } from './access.ts'

test.each([
  ['viewer', 'viewer', true],
  ['viewer', 'operator', false],
  ['viewer', 'admin', false],
  ['operator', 'viewer', true],
  ['operator', 'operator', true],
  ['operator', 'admin', false],
  ['admin', 'viewer', true],
  ['admin', 'operator', true],
  ['admin', 'admin', true],
] as const)('%s may do what needs %s: %s', (role, needed, allowed) => {
  expect(roleAllows(role, needed)).toBe(allowed)
})
