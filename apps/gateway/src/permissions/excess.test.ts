import { expect, test } from 'vitest'
import { type Excess, excessOf, type RoleEntry, tokenWarning } from './excess.ts'
import type { Permissions } from './permissions.ts'

const audit = { 'Datastore.Audit': true, 'Sys.Audit': true }
const token = 'a@pbs!reader'
const entry = (path: string, roleid: string, ugid = token): RoleEntry => ({ path, ugid, roleid })
const update = 'proxmox-backup-manager acl update'
const id = "--auth-id 'a@pbs!reader'"

test.each<[string, Permissions, ReadonlyArray<Excess>]>([
  ['the roles of an inventory', { '/': { ...audit, 'Remote.Audit': true, 'Tape.Audit': true } }, []],
  [
    'a privilege of one store',
    { '/': audit, '/datastore/tank': { ...audit, 'Datastore.Prune': true } },
    [{ path: '/datastore/tank', privileges: ['Datastore.Prune'] }],
  ],
  [
    'a privilege that paths below inherit, named once',
    { '/': { ...audit, 'Sys.Modify': true }, '/datastore': { ...audit, 'Sys.Modify': true }, '/system': audit },
    [{ path: '/', privileges: ['Sys.Modify'] }],
  ],
  [
    'one that does not propagate, and begins again below',
    { '/datastore': { 'Datastore.Read': false }, '/datastore/tank': { 'Datastore.Read': true } },
    [
      { path: '/datastore', privileges: ['Datastore.Read'] },
      { path: '/datastore/tank', privileges: ['Datastore.Read'] },
    ],
  ],
])('what an inventory does not need: %s', (_, permissions, expected) => {
  expect(excessOf(permissions)).toEqual(expected)
})

test('a token that may only read has no warning', () => {
  expect(tokenWarning({ '/': audit }, [entry('/', 'Audit')], token)).toBe('')
})

test.each<[string, ReadonlyArray<RoleEntry> | null, string]>([
  [
    'by each role that goes too far, on its own path, and by none of the user',
    [entry('/', 'Audit'), entry('/datastore/tank', 'DatastoreAdmin'), entry('/', 'Admin', 'a@pbs')],
    `Run on the server: ${update} /datastore/tank DatastoreAudit ${id}; ${update} /datastore/tank DatastoreAdmin ${id} --delete true`,
  ],
  [
    'by the three roles of an inventory for one on /',
    [entry('/', 'Admin'), entry('/', 'RemoteAudit')],
    `Run on the server: ${update} / Audit ${id}; ${update} / TapeAudit ${id}; ${update} / Admin ${id} --delete true`,
  ],
  [
    'without a role that it has',
    [entry('/datastore', 'DatastoreAudit'), entry('/datastore', 'DatastorePowerUser')],
    `Run on the server: ${update} /datastore DatastorePowerUser ${id} --delete true`,
  ],
  [
    'by a look at the list where the token may not read it',
    null,
    'Find its roles on the server with "proxmox-backup-manager acl list", and grant Audit, RemoteAudit and TapeAudit on / instead',
  ],
])('a token that may do more is reduced %s', (_, acl, cure) => {
  const permissions = { '/': audit, '/datastore/tank': { 'Datastore.Prune': true, 'Datastore.Backup': true } }
  expect(tokenWarning(permissions, acl, token)).toBe(
    `The token ${token} has more privileges than an inventory needs: Datastore.Backup, Datastore.Prune on /datastore/tank. ${cure}`,
  )
})

test('of many privileges some are named', () => {
  const names = ['Allocate', 'Backup', 'Modify', 'Prune', 'Read', 'Verify']
  const all = Object.fromEntries(names.map((name) => [`Datastore.${name}`, true]))
  expect(tokenWarning({ '/datastore': all }, null, token)).toContain(
    ': Datastore.Allocate, Datastore.Backup, Datastore.Modify, Datastore.Prune and 2 more on /datastore. ',
  )
})
