import { expect, test } from 'vitest'
import { backupTypes, choiceFor, endpointStates, gcStatuses, jobStates, jobTypes, serverStatuses } from './choices.ts'

test.each([
  [backupTypes, 'vm', 'Virtual machine'],
  [backupTypes, 'unknown', 'Unknown'],
  [backupTypes, 'future', 'Unknown'],
  [backupTypes, 'VM', 'Unknown'],
  [jobTypes, '', 'Unknown'],
  [endpointStates, 'pending', 'Pending'],
])('%# reads as its choice, else as unknown', (choices, stored, label) => {
  expect(choiceFor(choices, stored).label).toBe(label)
})

test('a value of a list without unknown is shown as it is', () => {
  expect(choiceFor(endpointStates, 'future')).toEqual({ value: 'future', label: '', color: 'secondary' })
})

test.each([serverStatuses, endpointStates, gcStatuses, backupTypes, jobTypes, jobStates])(
  '%# has each value once',
  (...choices) => {
    const values = choices.map(({ value }) => value)
    expect(new Set(values).size).toBe(values.length)
  },
)
