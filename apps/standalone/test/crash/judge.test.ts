import { expect, test } from 'vitest'
import { judge } from './judge.ts'

const digests = (a: string, b?: string) =>
  new Map(
    b === undefined
      ? [['a', a]]
      : [
          ['a', a],
          ['b', b],
        ],
  )
const before = digests('old')
const after = digests('new', 'made')

test.each([
  ['a scope landed and one not', [digests('new')], 1, []],
  ['nothing landed, then all', [before, after], 0, []],
  ['a scope that is neither', [digests('half')], 1, [/^after kill 1: neither as before nor as the source: a$/]],
  ['a created scope that is half there', [digests('old', 'half')], 1, [/neither as before nor as the source: b$/]],
  ['a landed scope that is gone again', [digests('new'), before], 1, [/^after kill 2: had landed and is gone: a$/]],
])('%s', (_, looks, between, faults) => {
  const judged = judge(
    before,
    looks.map((one, n) => ({ after: `kill ${n + 1}`, digests: one })),
    after,
  )
  expect(judged).toEqual({ between, faults: faults.map((fault) => expect.stringMatching(fault)) })
})
