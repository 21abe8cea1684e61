import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SimulatedToken, type Simulator, startSimulator } from '../src/index.ts'
import { ask, read, readSorted } from './client.ts'

let sim: Simulator

beforeAll(async () => {
  sim = await startSimulator({ snapshots: 200, failureDelayMs: 0, now: 1_780_358_400 })
})
afterAll(() => sim.close())

const namesOf = async (path: string, field: string, token: SimulatedToken) =>
  (await readSorted(sim, path, field, { token })).map((row) => row[field])

test('tokens see the stores they have privileges on', async () => {
  const { audit, oneStore, oneNamespace, empty } = sim.tokens
  expect(await namesOf('/admin/datastore', 'store', audit)).toEqual(['archive', 'fresh', 'tank', 'vault'])
  expect(await namesOf('/admin/datastore', 'store', oneStore)).toEqual(['tank'])
  expect(await namesOf('/admin/datastore', 'store', empty)).toEqual([])
  expect(await read(sim, '/admin/datastore', { token: oneNamespace })).toEqual([
    { store: 'tank', comment: null, 'mount-status': 'nonremovable', 'backend-type': 'filesystem' },
  ])
})

test('a token for one namespace sees it, what is below it, and zeros', async () => {
  const token = sim.tokens.oneNamespace
  const namespaces = await read(sim, '/admin/datastore/tank/namespace', { token })
  expect(namespaces).toEqual([{ ns: 'site-a' }, { ns: 'site-a/lab' }])
  expect((await ask(sim, '/admin/datastore/tank/groups?ns=site-a%2Flab', { token })).status).toBe(200)
  const rejected = await ask(sim, '/admin/datastore/tank/groups?ns=site-b', { token })
  expect([rejected.status, rejected.text]).toEqual([
    403,
    'permission check failed - missing Datastore.Audit|Datastore.Backup on /datastore/tank/site-b',
  ])
  expect(await read(sim, '/admin/datastore/tank/status', { token })).toEqual({
    total: 0,
    used: 0,
    avail: 0,
    'backend-type': 'filesystem',
  })
  expect(await read(sim, '/status/datastore-usage', { token })).toEqual([
    { store: 'tank', 'mount-status': 'nonremovable', 'backend-type': 'filesystem' },
  ])
  expect((await ask(sim, '/admin/datastore/tank/gc', { token })).status).toBe(403)
})

test('namespaces without any visible one are a 403', async () => {
  const answer = await ask(sim, '/admin/datastore/tank/namespace?parent=site-b', { token: sim.tokens.oneNamespace })
  expect([answer.status, answer.text]).toEqual([403, 'permission check failed'])
})

test('Datastore.Backup shows only owned groups', async () => {
  const owners = new Set(
    (await readSorted(sim, '/admin/datastore/tank/groups', 'backup-id', { token: sim.tokens.backup })).map(
      ({ owner }) => owner,
    ),
  )
  expect([...owners]).toEqual(['backup@pbs!pve'])
})

test('jobs shrink silently with privileges', async () => {
  const { audit, auditOnly, oneStore, empty } = sim.tokens
  expect(await namesOf('/admin/sync?sync-direction=all', 'id', audit)).toEqual(['s-local', 's-offsite', 's-push'])
  expect(await namesOf('/admin/sync?sync-direction=all', 'id', auditOnly)).toEqual(['s-local'])
  expect(await namesOf('/tape/backup', 'id', auditOnly)).toEqual([])
  expect(await namesOf('/config/remote', 'name', auditOnly)).toEqual([])
  expect(await namesOf('/config/remote', 'name', audit)).toEqual(['pbs-dr'])
  expect(await namesOf('/admin/prune', 'id', oneStore)).toEqual(['p-daily', 'p-old'])
  expect(await namesOf('/admin/verify', 'id', empty)).toEqual([])
})

describe('an unknown store', () => {
  test('is a 400 to whoever has privileges there', async () => {
    const answer = await ask(sim, '/admin/datastore/nope/groups')
    expect([answer.status, answer.text]).toEqual([400, "no such datastore 'nope'"])
  })

  test('is a 403 to others', async () => {
    expect((await ask(sim, '/admin/datastore/nope/groups', { token: sim.tokens.oneStore })).status).toBe(403)
  })
})

test('the list of nodes is closed to every token', async () => {
  const answer = await ask(sim, '/nodes')
  expect([answer.status, answer.text]).toEqual([403, 'permission check failed'])
  expect((await ask(sim, '/nodes/localhost/status', { token: sim.tokens.oneStore })).status).toBe(403)
})

describe('the own permissions', () => {
  test('are a map of paths', async () => {
    expect(await read(sim, '/access/permissions', { token: sim.tokens.oneStore })).toEqual({
      '/datastore/tank': { 'Datastore.Audit': true },
      '/datastore/tank/site-a': { 'Datastore.Audit': true },
    })
    expect(await read(sim, '/access/permissions', { token: sim.tokens.empty })).toEqual({})
  })

  test('may be asked for one path', async () => {
    expect(await read(sim, '/access/permissions?path=%2Fdatastore%2Fvault')).toEqual({
      '/datastore/vault': { 'Sys.Audit': true, 'Datastore.Audit': true, 'Remote.Audit': true, 'Tape.Audit': true },
    })
  })
})

test('the ACL is shown whole with Sys.Audit, else the entries of own tokens: none to a token', async () => {
  const entries = await readSorted(sim, '/access/acl', 'ugid')
  expect(entries.length).toBe(sim.state.acl.length)
  expect(entries).toContainEqual({
    path: '/',
    ugid: sim.tokens.auditOnly.tokenId,
    ugid_type: 'user',
    propagate: true,
    roleid: 'Audit',
  })
  expect(await read(sim, '/access/acl', { token: sim.tokens.oneStore })).toEqual([])
})
