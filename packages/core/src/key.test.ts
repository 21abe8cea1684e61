import { FastCheck } from 'effect'
import { expect, test } from 'vitest'
import { compareKeys, keyText, naturalKey } from './key.ts'
import type { ModelName } from './registry/field.ts'

const text = (model: ModelName, row: Readonly<Record<string, unknown>>): string => keyText(naturalKey(model, row))

test('keys differ where any key field does, in letters, blanks or type', () => {
  const rows = [
    { server: 1, name: 'tank' },
    { server: 2, name: 'tank' },
    { server: 1, name: 'Tank' },
    { server: 1, name: 'tank ' },
    { server: '1', name: 'tank' },
    { server: 1, name: '1","tank' },
  ]
  expect(new Set(rows.map((row) => text('datastore', row))).size).toBe(rows.length)
})

test('columns that are not of the key do not count', () => {
  expect(naturalKey('server', { name: 'pbs-a', host: 'x' })).toEqual(['pbs-a'])
  expect(naturalKey('server', { host: 'y', name: 'pbs-a' })).toEqual(['pbs-a'])
})

test('the text of a key is the JSON of its fields, for any text', () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.nat(), FastCheck.string({ unit: 'binary' }), (server, name) => {
      expect(text('datastore', { server, name })).toBe(JSON.stringify([server, name]))
    }),
  )
})

test('keys are ordered column by column: numbers by size, text by its characters', () => {
  const keys = [
    [2, 'b'],
    [10, 'a'],
    [10, 'a!'],
    [10, 'b'],
  ].map(([server, name]) => naturalKey('datastore', { server, name }))
  expect([...keys].reverse().sort(compareKeys)).toEqual(keys)
  expect(keys.map((key) => compareKeys(key, [...key]))).toEqual([0, 0, 0, 0])
})
