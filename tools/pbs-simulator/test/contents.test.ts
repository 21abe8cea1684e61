import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  countOf,
  countSnapshots,
  findNamespace,
  isFinished,
  type Simulator,
  snapshotsOf,
  startSimulator,
} from '../src/index.ts'
import { ask, type Row, read, readSorted } from './client.ts'

let sim: Simulator

beforeAll(async () => {
  sim = await startSimulator({ snapshots: 700, failureDelayMs: 0, now: 1_780_358_400, unreadableStores: true })
})
afterAll(() => sim.close())

const deepest = 'teams/dev/eu/vienna/lab/rack1/shelf2'
const snapshots = (ns: string, filter = '') =>
  readSorted(sim, `/admin/datastore/tank/snapshots?ns=${encodeURIComponent(ns)}${filter}`, 'backup-time')

test('namespaces come in pre-order, from any parent, to any depth', async () => {
  const list = (query: string) => read(sim, `/admin/datastore/tank/namespace${query}`)
  const paths = ['', 'site-a', 'site-a/lab', 'site-b', 'teams', 'teams/dev', 'teams/dev/eu', 'teams/dev/eu/vienna']
  const children = ['teams/dev/eu/vienna/lab', 'teams/dev/eu/vienna/lab/rack1', deepest]
  expect(await list('')).toEqual([...paths, ...children].map((ns) => ({ ns })))
  expect(await list('?max-depth=1')).toEqual(['', 'site-a', 'site-b', 'teams'].map((ns) => ({ ns })))
  expect(await list('?parent=site-a')).toEqual([{ ns: 'site-a' }, { ns: 'site-a/lab' }])
  expect(await list('?parent=gone')).toEqual([{ ns: 'gone' }])
})

test('every row is what the state says', async () => {
  const expected = findNamespace(sim.state, 'tank', '')
    .groups.filter(({ ownerReadable }) => ownerReadable)
    .flatMap((group) =>
      [...snapshotsOf(group)].map((snapshot) => ({
        'backup-type': group.backupType,
        'backup-id': group.backupId,
        'backup-time': snapshot.backupTime,
        owner: group.owner,
        protected: snapshot.protected,
        files: snapshot.files,
        ...(isFinished(snapshot) ? { size: snapshot.files.reduce((sum, { size = 0 }) => sum + size, 0) } : {}),
        ...(snapshot.notes === null ? {} : { comment: snapshot.notes.split('\n')[0] }),
        ...(snapshot.verification === null ? {} : { verification: snapshot.verification }),
        ...(snapshot.fingerprint === null ? {} : { fingerprint: snapshot.fingerprint }),
      })),
    )
  const key = (row: Row) => `${row['backup-type']}/${row['backup-id']}/${row['backup-time']}`
  const byKey = (rows: readonly Row[]) => [...rows].sort((left, right) => (key(left) < key(right) ? -1 : 1))
  expect(byKey(await snapshots(''))).toEqual(byKey(expected))
})

test('a walk over all namespaces finds the promised number', async () => {
  let found = 0
  for (const { name, namespaces, maintenance, mountStatus } of sim.state.datastores) {
    if (maintenance?.mode === 'offline' || mountStatus === 'notmounted') continue
    for (const { path } of namespaces) {
      const rows = await read(sim, `/admin/datastore/${name}/snapshots?ns=${encodeURIComponent(path)}`)
      found += Array.isArray(rows) ? rows.length : 0
    }
  }
  expect(found).toBe(700)
  expect(countSnapshots(sim.state)).toBe(700)
})

test('two lists have equal facts in another order', async () => {
  const path = '/admin/datastore/vault/snapshots'
  const [first, second] = [await ask(sim, path), await ask(sim, path)]
  expect(first.text).not.toBe(second.text)
  expect(await readSorted(sim, path, 'backup-time')).toEqual(await readSorted(sim, path, 'backup-time'))
})

test('the same guest with the same times lies in several namespaces and stores', async () => {
  const times = async (store: string, ns: string) =>
    (
      await readSorted(
        sim,
        `/admin/datastore/${store}/snapshots?ns=${encodeURIComponent(ns)}&backup-type=vm&backup-id=100`,
        'backup-time',
      )
    ).map((row) => row['backup-time'])
  const root = await times('tank', '')
  expect(root).toHaveLength(5)
  expect(await times('tank', 'site-a')).toEqual(root)
  expect(await times('tank', deepest)).toEqual(root)
  expect(await times('vault', '')).toEqual(root)
})

describe('shapes of rows', () => {
  const rowsOf = (type: string, id: string) => snapshots('', `&backup-type=${type}&backup-id=${id}`)

  test('an unfinished backup has file names and nothing more', async () => {
    expect(await rowsOf('ct', '900')).toEqual([
      {
        'backup-type': 'ct',
        'backup-id': '900',
        'backup-time': 1_780_357_500,
        files: [{ filename: 'drive-scsi0.img.fidx' }],
        owner: 'backup@pbs!pve',
        protected: false,
      },
    ])
  })

  test('notes: unicode, only the first line, empty, none', async () => {
    expect((await rowsOf('vm', '902')).map(({ comment }) => comment)).toEqual([
      'Bücher ☕ 图书',
      'before the upgrade',
      '',
      undefined,
    ])
  })

  test('group notes keep the end of their first line', async () => {
    const groups = await readSorted(sim, '/admin/datastore/tank/groups', 'backup-id')
    expect(groups.find((row) => row['backup-id'] === '901')?.['comment']).toBe('erp\n')
  })

  test.each([
    ['903', ['encrypt', 'encrypt', 'sign-only']],
    ['904', ['sign-only', 'sign-only', 'sign-only']],
    ['905', ['none', 'encrypt', 'sign-only']],
  ])('crypt modes of vm/%s', async (id, modes) => {
    const [row] = await rowsOf('vm', id)
    expect(row?.['files']).toMatchObject(modes.map((mode) => ({ 'crypt-mode': mode })))
    expect(row?.['fingerprint']).toMatch(/^(?:[0-9a-f]{2}:){31}[0-9a-f]{2}$/)
  })

  test('verified, failed, never', async () => {
    const states = (await rowsOf('vm', '906')).map(({ verification }) => verification)
    expect(states).toEqual([
      { upid: expect.stringMatching(/^UPID:pbs-a:/), state: 'ok' },
      { upid: expect.stringMatching(/:verificationjob:tank\\x3av\\x2dweekly:root@pam:$/), state: 'failed' },
      undefined,
    ])
  })

  test('a group whose owner cannot be read is left out', async () => {
    expect(await rowsOf('vm', '907')).toEqual([])
  })
})

describe('refusals', () => {
  test.each([
    ['missing namespace', '/admin/datastore/tank/groups?ns=gone', 'ENOENT: No such file or directory'],
    ['missing namespace', '/admin/datastore/tank/snapshots?ns=gone', 'ENOENT: No such file or directory'],
    ['a type without groups', '/admin/datastore/fresh/snapshots?backup-type=ct', 'ENOENT: No such file or directory'],
    ['not mounted', '/admin/datastore/usb1/snapshots', "datastore 'usb1' is not mounted"],
    [
      'offline',
      '/admin/datastore/cold/namespace',
      "datastore 'cold' is unavailable: offline maintenance mode: disk at vault",
    ],
  ])('%s: %s', async (_title, path, text) => {
    const answer = await ask(sim, path)
    expect([answer.status, answer.text]).toEqual([400, text])
  })

  test('an unknown group is an empty list', async () => {
    expect(await snapshots('', '&backup-type=vm&backup-id=424242')).toEqual([])
  })

  test('a read-only store can be read', async () => {
    expect((await ask(sim, '/admin/datastore/archive/snapshots')).status).toBe(200)
  })
})

test('verbose status counts groups and snapshots over all namespaces', async () => {
  const expected = { groups: 0, snapshots: 0 }
  for (const { groups } of sim.state.datastores.find(({ name }) => name === 'tank')?.namespaces ?? [])
    for (const group of groups)
      if (group.backupType === 'vm' && group.ownerReadable) {
        expected.groups += 1
        expected.snapshots += countOf(group)
      }
  expect(await read(sim, '/admin/datastore/tank/status?verbose=1')).toHaveProperty('counts.vm', expected)
})
