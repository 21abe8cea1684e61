import { describe, expect, test } from 'vitest'
import type { Scope } from './scope.ts'
import { coverageOf, covers } from './scope-filter.ts'

const server = 'pbs-a'
const root: Scope = { resource: 'snapshots', server, datastore: 'tank', namespace: '' }
const namespaces: Scope = { resource: 'namespaces', server, datastore: 'tank' }
const jobs: Scope = { resource: 'jobs', server, job_type: 'gc' }

test.each([
  [root, null, true],
  [root, { datastores: ['tank'] }, true],
  [root, { datastores: ['pond'] }, false],
  [root, { datastores: ['tank'], namespaces: [''] }, true],
  [root, { datastores: ['tank'], namespaces: ['a'] }, false],
  [namespaces, { datastores: ['tank'] }, true],
  [namespaces, { datastores: ['pond'] }, false],
  [namespaces, { datastores: ['tank'], namespaces: [''] }, false],
  [jobs, { job_types: ['gc'] }, true],
  [jobs, { job_types: ['sync'] }, false],
  [{ resource: 'datastores', server }, { datastores: [] }, true],
] as const)('%j under %j: covered %s', (scope, scope_filter, expected) =>
  expect(covers(scope_filter, scope)).toBe(expected),
)

describe('the smallest request that judges a scope again', () => {
  const all = { datastore: true, namespace: true }
  test.each([
    [root, all, { resource: 'snapshots', scope_filter: { datastores: ['tank'], namespaces: [''] } }],
    // A namespace that is gone has no list: that of the namespaces empties it.
    [root, { datastore: true, namespace: false }, { resource: 'snapshots', scope_filter: { datastores: ['tank'] } }],
    [root, { datastore: false, namespace: true }, { resource: 'datastores', scope_filter: null }],
    [namespaces, all, { resource: 'snapshots', scope_filter: { datastores: ['tank'] } }],
    [namespaces, { datastore: false, namespace: false }, { resource: 'datastores', scope_filter: null }],
    [{ resource: 'datastores', server }, all, { resource: 'datastores', scope_filter: null }],
    [jobs, all, { resource: 'jobs', scope_filter: { job_types: ['gc'] } }],
  ] as const)('%j, above it %j', (scope, above, expected) => expect(coverageOf(scope, above)).toEqual(expected))
})
