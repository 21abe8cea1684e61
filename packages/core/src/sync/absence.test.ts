import { expect, test } from 'vitest'
import { absenceOf } from './absence.ts'

test.each([
  ['manual', null, null, 'stays'],
  ['manual', null, 7, 'stays'],
  ['listed', null, null, 'goes'],
  ['listed', null, 7, 'noted'],
  ['absent', 7, null, 'goes'],
  ['absent', 7, 7, 'stays'],
  ['absent', 6, 7, 'goes'],
  // A run that began earlier is another run anyway.
  ['absent', 8, 7, 'goes'],
  ['absent', null, 7, 'noted'],
  ['missing', null, null, 'goes'],
  ['missing', null, 7, 'goes'],
  ['missing', 7, 7, 'goes'],
] as const)(
  'a row that is %s, since run %s, and that the list of run %s lacks %s',
  (presence, absentRun, runId, becomes) => {
    expect(absenceOf({ presence, absentRun }, runId)).toBe(becomes)
  },
)
