import { expect, test } from 'vitest'
import { mergeSteps } from './merge-order.ts'

test('deletions go from the leaves up, then updates and creations from the roots down', () => {
  expect(mergeSteps.map(({ model, op }) => `${op} ${model}`)).toEqual([
    'delete job',
    'delete snapshot',
    'delete group',
    'delete namespace',
    'delete datastore',
    'delete server',
    'update server',
    'create server',
    'update datastore',
    'create datastore',
    'update namespace',
    'create namespace',
    'update group',
    'create group',
    'update snapshot',
    'create snapshot',
    'update job',
    'create job',
  ])
})
