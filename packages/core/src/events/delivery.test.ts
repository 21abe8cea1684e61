import { expect, test } from 'vitest'
import { deliveryAllows, mostAttempts, pauseAfter } from './delivery.ts'
import { readHeaders } from './webhook.ts'

test.each([
  [1, 0, 8],
  [1, 0.5, 10],
  [2, 0.5, 20],
  [5, 0.5, 160],
  [9, 0.5, 2560],
  [10, 0.5, 3600],
  [14, 0.5, 3600],
  [15, 0.5, null],
  [16, 0.5, null],
])('after %d attempts, by chance %d, the pause is %j seconds', (attempts, random, seconds) => {
  expect(pauseAfter(attempts, random)).toBe(seconds)
})

test('a delivery is given up about six hours after its first attempt', () => {
  const pauses = Array.from({ length: mostAttempts - 1 }, (_, n) => pauseAfter(n + 1, 0.5) ?? 0)
  expect(pauses.reduce((sum, pause) => sum + pause, 0) / 3600).toBeCloseTo(6.4, 1)
})

test.each([
  ['pending', true, true],
  ['delivered', false, false],
  ['failed', true, false],
  ['cancelled', true, false],
] as const)('%s: retry %j, cancel %j', (state, retry, cancel) => {
  expect([deliveryAllows({ state }, 'retry'), deliveryAllows({ state }, 'cancel')]).toEqual([retry, cancel])
})

test.each([
  ['', []],
  ['X-Site: berlin', [['X-Site', 'berlin']]],
  [
    'A: 1\r\n\nB:  2  ',
    [
      ['A', '1'],
      ['B', '2'],
    ],
  ],
  ['Authorization: Bearer a:b', [['Authorization', 'Bearer a:b']]],
  ['X', 'Enter one header a line, as Name: value.'],
  ['X Y: 1', 'Enter one header a line, as Name: value.'],
  ['X: ü', 'The value of X may have printable ASCII characters only.'],
  ['host: a', 'host cannot be added: it is set for each request.'],
  ['X-Hook-Signature: a', 'X-Hook-Signature cannot be added: it is set for each request.'],
  ['Transfer-Encoding: chunked', 'Transfer-Encoding cannot be added: it is set for each request.'],
  [Array.from({ length: 51 }, (_, n) => `X-${n}: 1`).join('\n'), 'There may be 50 headers.'],
])('the headers %j are %j', (text, expected) => {
  expect(readHeaders(text)).toEqual(expected)
})
