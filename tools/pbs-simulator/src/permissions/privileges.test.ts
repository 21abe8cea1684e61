import { describe, expect, test } from 'vitest'
import { emptyState } from '../fleet/empty-state.ts'
import type { AclEntry, PbsState } from '../state/pbs-state.ts'
import { ownerOf, ownsGroup, privilegesOn } from './privileges.ts'

const stateWith = (...acl: readonly (readonly [string, string, string, boolean?])[]): PbsState => ({
  ...emptyState({ name: 'pbs-a' }),
  acl: acl.map(([path, authId, role, propagate = true]): AclEntry => ({ path, authId, role, propagate })),
})
const names = (state: PbsState, authId: string, path: string) => [...privilegesOn(state, authId, path).keys()]

describe('privileges', () => {
  test('roles on one path add up', () => {
    const state = stateWith(['/', 'u@pbs', 'RemoteAudit'], ['/', 'u@pbs', 'TapeAudit'])
    expect(names(state, 'u@pbs', '/datastore/tank')).toEqual(['Remote.Audit', 'Tape.Audit'])
  })

  test('the deepest path replaces what was inherited', () => {
    const state = stateWith(['/', 'u@pbs', 'Audit'], ['/datastore/tank', 'u@pbs', 'DatastoreBackup'])
    expect(names(state, 'u@pbs', '/datastore/tank/site-a')).toEqual(['Datastore.Backup'])
    expect(names(state, 'u@pbs', '/datastore/vault')).toEqual(['Sys.Audit', 'Datastore.Audit'])
  })

  test('NoAccess takes everything', () => {
    const state = stateWith(['/', 'u@pbs', 'Admin'], ['/datastore/tank', 'u@pbs', 'NoAccess'])
    expect(names(state, 'u@pbs', '/datastore/tank')).toEqual([])
  })

  test('without propagation an entry counts on its own path only, and replaces nothing below', () => {
    const state = stateWith(['/', 'u@pbs', 'TapeAudit'], ['/datastore', 'u@pbs', 'DatastoreAudit', false])
    expect([...privilegesOn(state, 'u@pbs', '/datastore')]).toEqual([['Datastore.Audit', false]])
    expect(names(state, 'u@pbs', '/datastore/tank')).toEqual(['Tape.Audit'])
  })

  test('a token has at most what its owner has', () => {
    const state = stateWith(['/', 'u@pbs!t', 'Admin'], ['/datastore/tank', 'u@pbs', 'DatastoreAudit'])
    expect(names(state, 'u@pbs!t', '/datastore/tank')).toEqual(['Datastore.Audit'])
    expect(names(state, 'u@pbs!t', '/')).toEqual([])
  })

  test('a token does not inherit its owner', () => {
    expect(names(stateWith(['/', 'u@pbs', 'Admin']), 'u@pbs!t', '/')).toEqual([])
  })

  test('root has all, a token of root what it was given', () => {
    const state = stateWith(['/', 'root@pam!t', 'Audit'])
    expect(names(state, 'root@pam', '/')).toContain('Sys.Modify')
    expect(names(state, 'root@pam!t', '/')).toEqual(['Sys.Audit', 'Datastore.Audit'])
  })
})

describe('owners', () => {
  test.each([
    ['a@pbs!t', 'a@pbs'],
    ['a!b@pbs', null],
    ['a!b@pbs!t', 'a!b@pbs'],
  ])('the user of %s is %s', (authId, user) => {
    expect(ownerOf(authId)).toBe(user)
  })

  test.each([
    ['b@pbs', 'b@pbs', true],
    ['b@pbs', 'b@pbs!t', true],
    ['b@pbs!t', 'b@pbs!t', true],
    ['b@pbs!t', 'b@pbs', false],
    ['b@pbs!t', 'b@pbs!u', false],
  ])('%s owns what %s owns: %s', (caller, owner, expected) => {
    expect(ownsGroup(caller, owner)).toBe(expected)
  })
})
