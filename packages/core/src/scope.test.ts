import { describe, expect, test } from 'vitest'
import { modelNames } from './registry/registry.ts'
import { type Scope, scopeKey, scopeOf, scopeResourceOf, scopes, scopeTitle } from './scope.ts'

const titled: ReadonlyArray<[Scope, string]> = [
  [{ resource: 'servers' }, 'servers'],
  [{ resource: 'datastores', server: 'pbs-a' }, 'datastores of pbs-a'],
  [{ resource: 'namespaces', server: 'pbs-a', datastore: 'tank' }, 'namespaces of pbs-a/tank'],
  [{ resource: 'snapshots', server: 'pbs-a', datastore: 'tank', namespace: '' }, 'snapshots of pbs-a/tank'],
  [{ resource: 'snapshots', server: 'pbs-a', datastore: 'tank', namespace: 'a/b' }, 'snapshots of pbs-a/tank/a/b'],
  [{ resource: 'jobs', server: 'pbs-a', job_type: 'gc' }, 'gc jobs of pbs-a'],
  [{ resource: 'tasks', server: 'pbs-a' }, 'tasks of pbs-a'],
]

describe('a scope', () => {
  test.each(titled)('%j is called %s', (scope, title) => {
    expect(scopeTitle(scope)).toBe(title)
  })

  test('has a key of its own', () => {
    const more: ReadonlyArray<Scope> = [
      { resource: 'snapshots', server: 'pbs-a', datastore: 'tank/a', namespace: 'b' },
      { resource: 'snapshots', server: 'pbs-a/tank', datastore: 'a', namespace: 'b' },
      { resource: 'datastores', server: 'pbs-a","tank' },
    ]
    const scopes = [...titled.map(([scope]) => scope), ...more]
    expect(new Set(scopes.map(scopeKey)).size).toBe(scopes.length)
    expect(scopes.map((scope) => scopeKey({ ...scope }))).toEqual(scopes.map(scopeKey))
  })

  test.each(titled)('%j is made of the values that identify it, whatever else is given', (scope) => {
    const others = { server: 'x', datastore: 'x', namespace: 'x', job_type: 'x' }
    expect(scopeOf(scope.resource, { ...others, ...scope })).toEqual(scope)
  })

  test('holds the rows of one model or of a model and its children, and each model is of one scope', () => {
    const models = Object.values(scopes).flatMap(({ models }) => models)
    expect([...models].sort()).toEqual([...modelNames].sort())
    expect(modelNames.map((model) => scopes[scopeResourceOf(model)].models)).toEqual(
      modelNames.map((model) => expect.arrayContaining([model])),
    )
  })
})
