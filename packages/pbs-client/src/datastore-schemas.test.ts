import { describe, expect, test } from 'vitest'
import { allowsReading, parseMaintenance } from './datastore-schemas.ts'

describe('the maintenance property string', () => {
  const rows: ReadonlyArray<readonly [string | null | undefined, ReturnType<typeof parseMaintenance>]> = [
    [null, null],
    [undefined, null],
    ['', null],
    ['offline', { mode: 'offline', message: null }],
    ['type=read-only', { mode: 'read-only', message: null }],
    ['offline,message="disk at vault"', { mode: 'offline', message: 'disk at vault' }],
    ['offline,message=swap', { mode: 'offline', message: 'swap' }],
    ['type=offline,message="a, b=c"', { mode: 'offline', message: 'a, b=c' }],
    ['message=first,type=unmount', { mode: 'unmount', message: 'first' }],
    ['offline,message="say \\"hi\\" \\\\"', { mode: 'offline', message: 'say "hi" \\' }],
    ['offline,message=disk%20swap%2C%20bay%204', { mode: 'offline', message: 'disk swap, bay 4' }],
    ['offline,message=100%', { mode: 'offline', message: '100%' }],
    ['offline,message=', { mode: 'offline', message: null }],
    ['s3-refresh', { mode: 's3-refresh', message: null }],
    ['a-later-mode,extra=1', { mode: 'a-later-mode', message: null }],
    ['message=alone', null],
  ]
  test.each(rows)('%s', (text, expected) => {
    expect(parseMaintenance(text)).toEqual(expected)
  })
})

test.each([
  [null, true],
  ['read-only', true],
  ['offline', false],
  ['delete', false],
  ['unmount', false],
  ['s3-refresh', false],
  ['a-later-mode', false],
])('reading in %s: %s', (mode, expected) => {
  expect(allowsReading(mode === null ? null : { mode, message: null })).toBe(expected)
})
