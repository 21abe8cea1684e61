import { FastCheck } from 'effect'
import { expect, test } from 'vitest'
import { naturalKey } from './key.ts'

test('keys differ where any key field does, in letters, blanks or type', () => {
  const rows = [
    { server: 1, name: 'tank' },
    { server: 2, name: 'tank' },
    { server: 1, name: 'Tank' },
    { server: 1, name: 'tank ' },
    { server: '1', name: 'tank' },
    { server: 1, name: '1","tank' },
  ]
  expect(new Set(rows.map((row) => naturalKey('datastore', row))).size).toBe(rows.length)
})

test('columns that are not of the key do not count', () => {
  expect(naturalKey('server', { name: 'pbs-a', host: 'x' })).toBe(naturalKey('server', { host: 'y', name: 'pbs-a' }))
})

test('a key is the JSON of its fields, for any text', () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.nat(), FastCheck.string({ unit: 'binary' }), (server, name) => {
      expect(naturalKey('datastore', { server, name })).toBe(JSON.stringify([server, name]))
    }),
  )
})
