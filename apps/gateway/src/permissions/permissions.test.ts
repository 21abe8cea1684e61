import type { ServerScope } from '@netbox-pbs/core'
import { describe, expect, test } from 'vitest'

import { aclCommands, gapsOf, gapTitle, inventoryGaps, ownerOnly } from './gaps.ts'
import { addHiddenPaths, coversDescendants, mayListAny, type Permissions, privilegesOn } from './permissions.ts'
import { visibilityOf } from './visibility.ts'

const audit = { 'Datastore.Audit': true, 'Sys.Audit': true }
const full: Permissions = {
  '/': { ...audit, 'Remote.Audit': true, 'Tape.Audit': true },
  '/datastore': { ...audit, 'Remote.Audit': true },
}
const snapshots: ServerScope = { resource: 'snapshots', server: 'a', datastore: 'tank', namespace: 'x/y' }
const namespaces: ServerScope = { resource: 'namespaces', server: 'a', datastore: 'tank' }
const jobs = (job_type: string): ServerScope => ({ resource: 'jobs', server: 'a', job_type })

describe('privileges on a path', () => {
  test.each<[string, Permissions, string, ReadonlyArray<string>]>([
    ['of its own', { '/datastore/tank': { 'Datastore.Audit': false } }, '/datastore/tank', ['Datastore.Audit']],
    [
      'inherited when propagated',
      { '/': { 'Sys.Audit': true, 'Datastore.Audit': false } },
      '/datastore/tank',
      ['Sys.Audit'],
    ],
    [
      'of the nearest ancestor',
      { '/': audit, '/datastore': { 'Datastore.Backup': true } },
      '/datastore/tank',
      ['Datastore.Backup'],
    ],
    ['none', {}, '/datastore/tank', []],
  ])('%s', (_, permissions, path, expected) => {
    expect([...privilegesOn(permissions, path)]).toEqual(expected)
  })

  test.each<[string, Permissions, boolean]>([
    ['propagated from above', { '/': audit }, true],
    ['not propagated', { '/datastore': { 'Datastore.Audit': false } }, false],
    ['replaced deeper down', { '/': audit, '/datastore/tank': { 'Datastore.Backup': true } }, false],
    ['replaced elsewhere', { '/': audit, '/system': { 'Sys.Modify': true } }, true],
  ])('everything below /datastore is covered: %s', (_, permissions, expected) => {
    expect(coversDescendants(permissions, '/datastore', 'Datastore.Audit')).toBe(expected)
  })
})

describe('the visibility', () => {
  test('is the same for the same privileges in another order', () => {
    const reordered = Object.fromEntries(Object.entries(full).reverse())
    expect(visibilityOf(namespaces, reordered)).toBe(visibilityOf(namespaces, full))
  })

  test.each<[string, ServerScope, Permissions, boolean]>([
    ['a store elsewhere', snapshots, { ...full, '/datastore/other': audit }, false],
    ['a namespace below, for the snapshots of one', snapshots, { ...full, '/datastore/tank/x/y/z': {} }, false],
    [
      'a namespace below, for the namespaces',
      namespaces,
      { ...full, '/datastore/tank/x': { 'Datastore.Read': true } },
      true,
    ],
    ['the store itself', snapshots, { ...full, '/datastore/tank': { 'Datastore.Backup': true } }, true],
    [
      'a privilege that decides nothing',
      snapshots,
      { ...full, '/datastore/tank': { ...audit, 'Datastore.Prune': true } },
      false,
    ],
    ['a remote, for sync jobs', jobs('sync'), { ...full, '/remote/dr': { 'Remote.Read': true } }, true],
    ['a remote, for verify jobs', jobs('verify'), { ...full, '/remote/dr': { 'Remote.Read': true } }, false],
    ['tape, for tape jobs', jobs('tape'), { '/': { ...audit, 'Remote.Audit': true }, '/datastore': audit }, true],
  ])('%s', (_, scope, changed, differs) => {
    expect(visibilityOf(scope, changed) !== visibilityOf(scope, full)).toBe(differs)
  })
})

describe('what an ACL entry withholds', () => {
  const stores: ServerScope = { resource: 'datastores', server: 'a' }
  const held = { ugid: 'a@pbs!t', ugid_type: 'user' }
  test.each<[string, ServerScope, Parameters<typeof addHiddenPaths>[1], boolean]>([
    ['a store, of the token', stores, [{ ...held, path: '/datastore/other' }], true],
    ['a store, of its user', stores, [{ ...held, ugid: 'a@pbs', path: '/datastore/other' }], true],
    ['a store, of a group', stores, [{ ugid: 'g', ugid_type: 'group', path: '/datastore/other' }], true],
    ['a store, of another user', stores, [{ ...held, ugid: 'b@pbs', path: '/datastore/other' }], false],
    ['a namespace', namespaces, [{ ...held, path: '/datastore/tank/x' }], true],
    ['the store above', snapshots, [{ ...held, path: '/datastore/tank' }], true],
    ['another store', snapshots, [{ ...held, path: '/datastore/other' }], false],
    ['a store, for verify jobs', jobs('verify'), [{ ...held, path: '/datastore/other' }], true],
    ['a path that is listed', stores, [{ ...held, path: '/datastore' }], false],
    ['nothing', stores, [], false],
  ])('%s', (_, scope, acl, differs) => {
    expect(visibilityOf(scope, addHiddenPaths(full, acl, 'a@pbs!t')) !== visibilityOf(scope, full)).toBe(differs)
  })
})

describe('gaps', () => {
  test('of a full grant: none', () => {
    expect(inventoryGaps(full)).toEqual([])
    expect(gapsOf(jobs('sync'), full)).toEqual([])
  })

  test('of the role Audit alone: remotes and tape', () => {
    expect(inventoryGaps({ '/': audit }).map(gapTitle)).toEqual(['Remote.Audit on /remote', 'Tape.Audit on /tape'])
    expect(gapsOf(jobs('sync'), { '/': audit }).map(({ privilege }) => privilege)).toEqual(['Remote.Audit'])
    expect(gapsOf(jobs('tape'), { '/': audit }).map(({ privilege }) => privilege)).toEqual(['Tape.Audit'])
    expect(gapsOf(jobs('verify'), { '/': audit })).toEqual([])
  })

  test.each<[string, Parameters<typeof mayListAny>[0], boolean]>([
    ['nothing', {}, false],
    ['paths without privileges', { '/': {}, '/datastore': {} }, false],
    ['what lists no datastore', { '/': { 'Sys.Audit': true }, '/remote': { 'Remote.Audit': true } }, false],
    ['a privilege on / that does not propagate', { '/': { 'Datastore.Audit': false } }, false],
    ['everything', { '/': audit }, true],
    ['one store', { '/datastore/tank': { 'Datastore.Backup': true } }, true],
    ['one namespace', { '/datastore/tank/a': { 'Datastore.Read': true } }, true],
  ])('a token with %s: may it list a datastore?', (_, permissions, may) => {
    expect(mayListAny(permissions)).toBe(may)
  })

  test('are closed by commands for the token and its user', () => {
    expect(aclCommands(inventoryGaps({}), "it's@pbs!reader")).toEqual(
      ['Audit', 'RemoteAudit', 'TapeAudit'].flatMap((role) => [
        `proxmox-backup-manager acl update / ${role} --auth-id 'it'\\''s@pbs'`,
        `proxmox-backup-manager acl update / ${role} --auth-id 'it'\\''s@pbs!reader'`,
      ]),
    )
    expect(aclCommands(inventoryGaps({ '/': { ...audit, 'Tape.Audit': true } }), 'a@pbs!b')).toEqual([
      "proxmox-backup-manager acl update / RemoteAudit --auth-id 'a@pbs'",
      "proxmox-backup-manager acl update / RemoteAudit --auth-id 'a@pbs!b'",
    ])
    expect(aclCommands([], 'a@pbs!b')).toEqual([])
  })

  test('who may back up but not audit sees only its own', () => {
    expect(ownerOnly(snapshots, { '/datastore/tank': { 'Datastore.Backup': true } })).toBe(true)
    expect(ownerOnly(snapshots, { '/datastore/tank': { 'Datastore.Audit': true } })).toBe(false)
    expect(ownerOnly(namespaces, { '/datastore/tank': { 'Datastore.Backup': true } })).toBe(false)
  })
})
