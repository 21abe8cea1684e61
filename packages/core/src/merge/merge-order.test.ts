import { expect, test } from 'vitest'
import type { ModelName } from '../registry/field.ts'
import { inMergeOrder, type ObjectWrite } from './merge-order.ts'
import type { Write } from './write.ts'

const of = (model: ModelName, tag: 'create' | 'update' | 'delete', key = 'k', movesKey = false): ObjectWrite => {
  const write: Write =
    tag === 'create'
      ? { _tag: 'create', values: {} }
      : tag === 'update'
        ? { _tag: 'update', fields: [] }
        : { _tag: 'delete' }
  return { model, key, write, movesKey }
}

test('deletions go from the leaves up, then keys change, then the rest is written from the roots down', () => {
  const writes = [
    of('snapshot', 'create'),
    of('server', 'create'),
    of('server', 'delete'),
    of('server', 'update', 'k', true),
    of('datastore', 'delete'),
    of('snapshot', 'delete'),
    of('datastore', 'update', 'b'),
    of('datastore', 'create', 'a'),
  ]
  expect(inMergeOrder(writes).map(({ model, key, write, movesKey }) => [model, write._tag, key, movesKey])).toEqual([
    ['snapshot', 'delete', 'k', false],
    ['datastore', 'delete', 'k', false],
    ['server', 'delete', 'k', false],
    ['server', 'update', 'k', true],
    ['server', 'create', 'k', false],
    ['datastore', 'create', 'a', false],
    ['datastore', 'update', 'b', false],
    ['snapshot', 'create', 'k', false],
  ])
})
