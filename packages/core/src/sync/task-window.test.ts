import { expect, test } from 'vitest'
import { isTaskKept, type TaskWindowInput, taskWindow } from './task-window.ts'

const at = (epochSeconds: number) => new Date(epochSeconds * 1000).toISOString().replace('.000Z', 'Z')
const day = 86_400
const now = 1_780_000_000
const floor = now - 90 * day
const base: TaskWindowInput = {
  now,
  retentionDays: 90,
  lastCompleteAt: at(now - 600),
  visibility: 'a',
  marks: { newestStart: at(now - 7200), oldestRunning: null },
}

test.each<[title: string, change: Partial<TaskWindowInput>, since: number | null, whole: boolean]>([
  ['goes an hour back behind the newest start', {}, now - 10_800, false],
  ['never listed: all within retention', { lastCompleteAt: null }, floor, true],
  ['listed with a visibility not to be built on', { visibility: null }, floor, true],
  ['main has no task', { marks: { newestStart: null, oldestRunning: null } }, floor, true],
  ['no retention and no list: all', { retentionDays: 0, visibility: null }, null, true],
  ['no retention', { retentionDays: 0 }, now - 10_800, false],
  [
    'a task still runs since before that',
    { marks: { newestStart: at(now - 7200), oldestRunning: at(now - 3 * day) } },
    now - 3 * day,
    false,
  ],
  [
    'a task runs since before retention began',
    { marks: { newestStart: at(now - 7200), oldestRunning: at(floor - day) } },
    floor - day,
    true,
  ],
  [
    'a start in the future of the last list',
    { marks: { newestStart: at(now + 365 * day), oldestRunning: null } },
    now - 600 - 3600,
    false,
  ],
  [
    'nothing started for longer than retention',
    { marks: { newestStart: at(floor - day), oldestRunning: null } },
    floor,
    true,
  ],
])('%s', (_title, change, since, whole) => {
  const input = { ...base, ...change }
  expect(taskWindow(input)).toEqual({ since, floor: input.retentionDays === 0 ? null : floor, whole })
})

test('a task is kept from the second on in which retention begins', () => {
  expect([floor - 1, floor].map((start) => isTaskKept(at(start), { floor }))).toEqual([false, true])
  expect(isTaskKept(at(0), { floor: null })).toBe(true)
})
