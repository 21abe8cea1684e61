import { expect, test } from 'vitest'
import { FailedAttempts } from './failed-attempts.ts'

const limits = { attempts: 3, seconds: 60 }

test('an address waits after its last attempt, and is then as new', () => {
  const attempts = new FailedAttempts(limits)
  expect([attempts.remaining('a', 0), attempts.retryAfter('a', 0)]).toEqual([3, 0])
  attempts.note('a', 0)
  attempts.note('a', 10_000)
  expect([attempts.remaining('a', 10_000), attempts.retryAfter('a', 10_000)]).toEqual([1, 0])
  attempts.note('a', 20_000)
  expect([attempts.remaining('a', 20_500), attempts.retryAfter('a', 20_500)]).toEqual([0, 60])
  expect([attempts.remaining('b', 20_500), attempts.retryAfter('b', 20_500)]).toEqual([3, 0])
  expect([attempts.remaining('a', 80_000), attempts.retryAfter('a', 80_000)]).toEqual([3, 0])
})

test('a flood of addresses forgets the oldest', () => {
  const attempts = new FailedAttempts(limits)
  for (let index = 0; index <= 10_000; index += 1) attempts.note(`address ${index}`, 0)
  expect([attempts.remaining('address 0', 0), attempts.remaining('address 1', 0)]).toEqual([3, 2])
})
