import { expect, test } from 'vitest'
import { type Call, checkHistory, type History, type LogEntry } from './check-history.ts'

const call = (kind: Call['kind'], start: number, end: number, more: Partial<Call> = {}): Call => ({
  ...{ client: 1, start, end, place: 'main', object: 7, kind, text: null, outcome: 'done' },
  ...more,
})
const write = (text: string, start: number, end: number, more: Partial<Call> = {}) =>
  call('write', start, end, { text, ...more })
const read = (saw: string, start: number, end: number, more: Partial<Call> = {}) =>
  call('read', start, end, { saw, ...more })
const entry = (before: string | null, after: string | null, more: Partial<LogEntry> = {}): LogEntry => ({
  ...{ object: 7, before, after, author: 'user' },
  ...more,
})
const history = (more: Partial<History>): History => ({
  ...{ calls: [], merges: [], log: [], first: new Map([[7, 'a']]), last: new Map([[7, 'a']]) },
  ...more,
})
const ends = (text: string) => new Map([[7, text]])

test('a history that some order explains is consistent', () => {
  const calls = [
    read('a', 0, 9),
    write('b', 1, 4, { replaces: 'a' }),
    write('c', 2, 6),
    write('never', 5, 6, { replaces: 'a', outcome: 'refused' }),
    write('lost', 5, 6, { outcome: 'unknown' }),
    read('b', 3, 5),
    read('c', 3, 5),
    read('c', 7, 8),
    call('create', 7, 8, { object: 8, text: 'new' }),
    call('delete', 9, 10, { object: 8, replaces: 'new' }),
    call('read', 11, 12, { object: 8, outcome: 'missing' }),
    read('in branch', 5, 6, { place: 'x' }),
    write('in branch', 3, 4, { place: 'x' }),
    read('in branch', 21, 22),
  ]
  const log = [
    entry('a', 'b'),
    entry('b', 'c'),
    entry(null, 'new', { object: 8 }),
    entry('new', null, { object: 8 }),
    entry('c', 'in branch', { author: 'merge' }),
  ]
  const merges = [{ place: 'x', start: 19, end: 20, outcome: 'done' }] as const
  expect(checkHistory(history({ calls, log, merges, last: ends('in branch') }))).toEqual([])
})

test.each<[string, Partial<History>, string]>([
  [
    'a lost update',
    {
      calls: [write('b', 1, 2, { replaces: 'a' }), write('c', 1, 2, { replaces: 'a' })],
      log: [entry('a', 'b'), entry('b', 'c')],
      last: ends('c'),
    },
    'client 1 replaced b of object 7 by c, and asked for a',
  ],
  [
    'a deletion of another version',
    {
      calls: [write('b', 1, 2), call('delete', 3, 4, { replaces: 'a' })],
      log: [entry('a', 'b'), entry('b', null)],
      last: new Map(),
    },
    'client 1 deleted 7 as a, and nothing in the log replaces that',
  ],
  [
    'a write that is gone',
    { calls: [write('b', 1, 2)] },
    'b of client 1, which was done, is 0 times in the log of object 7',
  ],
  [
    'a write that was done twice',
    { calls: [write('b', 1, 2)], log: [entry('a', 'b'), entry('b', 'b')], last: ends('b') },
    'b of client 1, which was done, is 2 times in the log of object 7',
  ],
  [
    'a refused write that was done',
    { calls: [write('b', 1, 2, { outcome: 'refused' })], log: [entry('a', 'b')], last: ends('b') },
    'b of client 1, which was refused, is 1 times in the log of object 7',
  ],
  [
    'a deletion that was done twice',
    {
      calls: [call('delete', 1, 2)],
      log: [entry('a', null), entry(null, 'b', { author: 'run' }), entry('b', null)],
      last: new Map(),
    },
    'object 7 was deleted 2 times, and 1 deletions were answered',
  ],
  ['an entry without a writer', { log: [entry('a', 'z')], last: ends('z') }, 'no client wrote z to object 7'],
  [
    'a log that skips a state',
    { calls: [write('b', 1, 2)], log: [entry('z', 'b')], last: ends('b') },
    'object 7 was a, and the log says that it was z',
  ],
  [
    'a log that ends elsewhere',
    { calls: [write('b', 1, 2)], log: [entry('a', 'b')], last: ends('a') },
    'object 7 is a, and the log ends with b',
  ],
  [
    'a log against real time',
    { calls: [write('b', 1, 2), write('c', 3, 4)], log: [entry('a', 'c'), entry('c', 'b')], last: ends('b') },
    'b was answered before c began, and is after it in the log of 7',
  ],
  [
    'a stale read',
    { calls: [write('b', 1, 2), read('a', 3, 4)], log: [entry('a', 'b')], last: ends('b') },
    'client 1 read a of object 7, which was one of b at that time',
  ],
  [
    'a read of the future',
    { calls: [read('b', 1, 2), write('b', 3, 4)], log: [entry('a', 'b')], last: ends('b') },
    'client 1 read b of object 7, which was one of a at that time',
  ],
  [
    'an object that is missing too early',
    { calls: [call('read', 1, 2, { outcome: 'missing' })] },
    'client 1 read null of object 7, which was one of a at that time',
  ],
  [
    'a leak from a branch into main',
    { calls: [write('x1', 1, 2, { place: 'x' }), read('x1', 3, 4, { place: 'y' })] },
    'client 1 read x1 of object 7 in y, and it was written in x',
  ],
  [
    'an id that is given again',
    {
      calls: [call('create', 1, 2, { text: 'b' })],
      log: [entry('a', null, { author: 'run' }), entry(null, 'b')],
      last: ends('b'),
    },
    'client 1 was given the id 7, which was given before',
  ],
])('%s is found', (_, more, fault) => {
  expect(checkHistory(history(more))).toContain(fault)
})
