import { expect, test } from 'vitest'
import { failureReason } from './store-errors.ts'

test.each([
  ['08006', 'unavailable'],
  ['40P01', 'conflict'],
  ['40001', 'conflict'],
  ['57014', 'stopped'],
  ['57P01', 'unavailable'],
  ['25P03', 'unavailable'],
  ['53300', 'crowded'],
  ['25006', 'read_only'],
  ['ECONNREFUSED', 'unavailable'],
  ['28P01', 'refused'],
  ['42501', 'refused'],
  ['3D000', 'refused'],
  ['53100', 'full'],
  ['ENOSPC', 'full'],
  ['23505', null],
  ['42601', null],
])('a failure with code %s is %s', (code, expected) => {
  expect(failureReason(Object.assign(new Error('x'), { code }))).toBe(expected)
})

test('a lost connection without a code is unavailable', () => {
  expect(failureReason(new Error('Connection terminated unexpectedly'))).toBe('unavailable')
})

test('a pool in which no connection came free is busy', () => {
  expect(failureReason(new Error('timeout exceeded when trying to connect'))).toBe('busy')
})

test('every address refused is unavailable', () => {
  const rejected = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
  expect(failureReason(new AggregateError([rejected, rejected]))).toBe('unavailable')
})
