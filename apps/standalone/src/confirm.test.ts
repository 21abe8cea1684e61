import { PassThrough } from 'node:stream'
import { Effect } from 'effect'
import { expect, test } from 'vitest'
import { confirm } from './confirm.ts'

test.each([
  ['y\n', true],
  ['YES\n', true],
  [' yes \n', true],
  ['n\n', false],
  ['\n', false],
  ['yesterday\n', false],
  ['', false],
])('%j is %j', async (answer, yes) => {
  const input = new PassThrough()
  const output = new PassThrough()
  input.end(answer)
  expect(await Effect.runPromise(confirm('Pin it?', { input, output }))).toBe(yes)
  expect(output.read()?.toString()).toBe('Pin it? [y/N] ')
})
