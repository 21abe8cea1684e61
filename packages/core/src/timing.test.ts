import { expect, test } from 'vitest'
import { ownTiming } from './timing.ts'

test.each([
  ['', null, null],
  ['', 0, { sync_schedule: '', sync_interval_minutes: 0 }],
  ['', 15, { sync_schedule: '', sync_interval_minutes: 15 }],
  ['0 3 * * *', null, { sync_schedule: '0 3 * * *', sync_interval_minutes: 0 }],
  ['0 3 * * *', 15, { sync_schedule: '0 3 * * *', sync_interval_minutes: 15 }],
])('a server with schedule %j and interval %j has the timing %j', (sync_schedule, sync_interval_minutes, timing) => {
  expect(ownTiming({ sync_schedule, sync_interval_minutes })).toEqual(timing)
})
