import { finishedSnapshot, generateState, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import type { Frame } from '@netbox-pbs/proxbox-client/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, ofKind, syncFrames } from './simulated.ts'

const now = 1_780_358_400
const root = { store: 'tank', ns: '' }
let pbs: Simulator
let gateway: RunningGateway

beforeEach(async () => {
  const fleet = generateState({ name: 'pbs-odd', seed: 5, profile: '4.2', snapshots: 40, now })
  const [tank] = fleet.datastores.filter(({ name }) => name === 'tank')
  if (tank === undefined) throw new Error('no datastore tank')
  tank.namespaces = tank.namespaces.filter(({ path }) => path === '')
  for (const namespace of tank.namespaces) namespace.groups = []
  pbs = await startSimulator({ fleet, failureDelayMs: 0 })
  for (let id = 100; id < 120; id += 1)
    for (const hours of [1, 2, 3])
      pbs.addSnapshot({ ...root, backupType: 'vm', backupId: String(id) }, finishedSnapshot(now - hours * 3600))
  gateway = await startGateway()
  await addEndpoint(gateway, pbs)
})
afterEach(async () => {
  await gateway.stop()
  await pbs.close()
})

const snapshots = async (): Promise<ReadonlyArray<Frame>> =>
  await syncFrames(gateway, 'snapshots', { datastores: ['tank'], namespaces: [''] })
const groupsOf = (frames: ReadonlyArray<Frame>) =>
  new Map(ofKind(frames, 'group').map((group) => [group.backup_id, group.snapshots.length]))
const warningsOf = (frames: ReadonlyArray<Frame>, code: string) =>
  ofKind(frames, 'warning').flatMap((warning) => (warning.code === code ? [warning.message] : []))
const leftOutOf = (frames: ReadonlyArray<Frame>) => ofKind(frames, 'complete').map(({ left_out }) => left_out)

const of110 = { 'backup-id': '110', 'backup-time': now - 3600 }
const listOfAll = { path: '/admin/datastore/tank/snapshots' }

describe('a snapshot that cannot be understood', () => {
  test.each<[string, unknown, RegExp]>([
    ['is null', null, /^snapshot in row \d+ of the list cannot be read/],
    ['is a text', 'vm/110', /^snapshot in row \d+ of the list cannot be read/],
    ['has no id', { 'backup-id': null }, /^snapshot vm\/\d+ cannot be read and is left out: backup-id: /],
    ['has a time that is a text', { 'backup-time': 'today' }, /^snapshot vm\/110 cannot be read .*: backup-time: /],
    ['has a time with a fraction', { 'backup-time': 1.5 }, /^snapshot vm\/110 cannot be read .*: backup-time: /],
    ['has the time 0', { 'backup-time': 0 }, /^snapshot vm\/110\/0 cannot be read .*: backup-time /],
    ['has a negative time', { 'backup-time': -5 }, /^snapshot vm\/110\/-5 cannot be read .*: backup-time /],
    ['has a time in milliseconds', { 'backup-time': now * 1000 }, /^snapshot vm\/110\/\d+ cannot be read/],
    ['has a time beyond 9999', { 'backup-time': 253_402_300_800 }, /^snapshot vm\/110\/\d+ cannot be read/],
  ])('because it %s, is left out by name, and all others are listed', async (_, set, stated) => {
    pbs.faults.add({ kind: 'row', match: listOfAll, where: of110, set: set as never })
    const frames = await snapshots()
    const groups = groupsOf(frames)
    expect([groups.size, groups.get('110'), leftOutOf(frames)]).toEqual([20, 2, [1]])
    expect([...groups.values()].reduce((sum, count) => sum + count, 0)).toBe(59)
    expect(warningsOf(frames, 'row_unreadable')).toEqual([expect.stringMatching(stated)])
    expect(ofKind(frames, 'group').find(({ backup_id }) => backup_id === '110')?.left_out).toBe(1)
  })
})

describe('an odd field of a snapshot', () => {
  test.each<[string, object, ReadonlyArray<string>]>([
    ['verification', { verification: { state: 'ok' } }, ['verification_state', 'verification_upid']],
    ['size', { size: -1 }, ['size_bytes']],
    ['size', { size: 10.5 }, ['size_bytes']],
    ['owner', { owner: 5 }, ['owner']],
    ['fingerprint', { fingerprint: 5 }, ['key_fingerprint']],
    ['comment', { comment: ['x'] }, ['comment']],
    ['protected', { protected: 'yes' }, ['protected']],
    ['files', { files: [{ filename: 5 }] }, ['crypt_mode', 'manifest_files', 'other_files', 'finished']],
  ])('%s counts as unknown, and is named with its row: %j', async (field, set, unknown) => {
    pbs.faults.add({ kind: 'row', match: listOfAll, where: of110, set: set as never })
    const frames = await snapshots()
    const [newest] = ofKind(frames, 'group').find(({ backup_id }) => backup_id === '110')?.snapshots ?? []
    expect([newest?.unknown, groupsOf(frames).size, leftOutOf(frames)]).toEqual([unknown, 20, [undefined]])
    expect(warningsOf(frames, 'field_unreadable')).toEqual([
      expect.stringMatching(new RegExp(`^${field}[.\\w]* of snapshot vm/110/2026-06-01T23:00:00Z `)),
    ])
  })
})

describe('a group', () => {
  const refused = { kind: 'status', status: 400, body: 'EACCES: Permission denied' } as const
  const ofGroup = { path: '/admin/datastore/tank/snapshots', query: { 'backup-id': '110' } }

  test('that PBS cannot read fails the list of its namespace: the others are asked for one by one', async () => {
    pbs.faults.add({ ...refused, match: { ...listOfAll, query: { 'backup-id': '' } } })
    pbs.faults.add({ ...refused, match: ofGroup })
    const frames = await snapshots()
    expect([groupsOf(frames).size, groupsOf(frames).has('110'), leftOutOf(frames)]).toEqual([19, false, [1]])
    expect(warningsOf(frames, 'row_unreadable')).toEqual([
      expect.stringMatching(/^group vm\/110 cannot be read and is left out: .*EACCES/),
    ])
  })

  test('that PBS cannot read, like all others, fails the list of its namespace', async () => {
    pbs.faults.add({ ...refused, match: listOfAll })
    const frames = await snapshots()
    expect(ofKind(frames, 'failed').map(({ error }) => error.code)).toEqual(['protocol'])
    expect(ofKind(frames, 'group')).toEqual([])
  })

  test('that is shortened again each time it is read costs only itself', async () => {
    const address = { ...root, backupType: 'vm', backupId: '110' }
    let left = 3
    pbs.changes.add({
      match: { path: /\/snapshots$/ },
      times: 10,
      change: () => {
        left = Math.max(1, left - 1)
        pbs.pruneGroup(address, left)
      },
    })
    const frames = await snapshots()
    expect([groupsOf(frames).size, leftOutOf(frames)]).toEqual([19, [1]])
    expect(warningsOf(frames, 'row_unreadable')).toEqual([expect.stringMatching(/^group vm\/110 cannot be read/)])
  })

  test.each<[string, object | null, string]>([
    ['null', null, 'group in row'],
    ['one without a type', { 'backup-type': 7 }, 'group 110 cannot be read'],
  ])('whose row is %s is left out, and the others are listed', async (_, set, stated) => {
    pbs.faults.add({
      kind: 'row',
      match: { path: '/admin/datastore/tank/groups' },
      where: { 'backup-id': '110' },
      set: set as never,
    })
    const frames = await snapshots()
    expect(groupsOf(frames).size).toBe(19)
    expect(leftOutOf(frames)[0]).toBeGreaterThan(0)
    expect(warningsOf(frames, 'row_unreadable')[0]).toContain(stated)
  })
})

describe('a list of groups', () => {
  test('is read once more for all the groups that a prune shortens', async () => {
    const large = { ...root, backupType: 'ct' }
    for (let id = 0; id < 500; id += 1)
      for (let hours = 1; hours <= 6; hours += 1)
        pbs.addSnapshot({ ...large, backupId: String(1000 + id) }, finishedSnapshot(now - hours * 3600))
    pbs.changes.add({
      match: { path: /\/snapshots$/ },
      change: () => {
        for (let id = 0; id < 500; id += 1) pbs.pruneGroup({ ...large, backupId: String(1000 + id) }, 5)
      },
    })
    const before = pbs.requests.length
    const frames = await snapshots()
    expect([groupsOf(frames).size, leftOutOf(frames)]).toEqual([520, [undefined]])
    expect(pbs.requests.slice(before).filter(({ path }) => path.endsWith('/groups')).length).toBeLessThanOrEqual(4)
  }, 60_000)
})

describe('a row of another list', () => {
  const rowsOf = (frames: ReadonlyArray<Frame>) =>
    frames.flatMap((frame) => {
      if (frame.frame === 'datastore') return [frame.name]
      if (frame.frame === 'namespace') return [frame.path]
      return frame.frame === 'job' ? [frame.job_id] : frame.frame === 'task' ? [frame.upid] : []
    })

  test.each<[string, string, object, string, Record<string, string>]>([
    ['datastores', 'datastores', {}, '/admin/datastore', { store: 'vault' }],
    ['verify jobs', 'jobs', { job_types: ['verify'] }, '/admin/verify', { store: 'tank' }],
    ['prune jobs', 'jobs', { job_types: ['prune'] }, '/admin/prune', { store: 'tank' }],
    ['sync jobs', 'jobs', { job_types: ['sync'] }, '/admin/sync', { store: 'tank' }],
    ['gc jobs', 'jobs', { job_types: ['gc'] }, '/config/datastore', { name: 'vault' }],
    ['tasks', 'tasks', {}, '/nodes/localhost/tasks', {}],
  ])('of %s that is null is left out, and the others are listed', async (_, resource, request, path, where) => {
    const whole = rowsOf(await syncFrames(gateway, resource, request))
    pbs.faults.add({ kind: 'row', match: { path }, where, set: null })
    const frames = await syncFrames(gateway, resource, request)
    expect(ofKind(frames, 'failed')).toEqual([])
    expect(rowsOf(frames)).toHaveLength(whole.length - 1)
    expect(leftOutOf(frames)).toEqual([1])
    expect(warningsOf(frames, 'row_unreadable')).toEqual([expect.stringContaining('of the list cannot be read')])
  })

  test('of usage, or of the configuration, that is odd costs no datastore, no size and no numbers of another', async () => {
    const whole = ofKind(await syncFrames(gateway, 'datastores'), 'datastore')
    pbs.faults.add({ kind: 'row', match: { path: '/status/datastore-usage' }, where: { store: 'vault' }, set: null })
    pbs.faults.add({ kind: 'row', match: { path: '/config/datastore' }, where: { name: 'vault' }, set: 'vault' })
    const frames = await syncFrames(gateway, 'datastores')
    const stores = new Map(ofKind(frames, 'datastore').map((store) => [store.name, store]))
    expect([...stores.keys()]).toEqual(whole.map(({ name }) => name))
    expect(stores.get('tank')).toEqual(whole.find(({ name }) => name === 'tank'))
    // It is asked for its own size, and for no forecast.
    const size = whole.find(({ name }) => name === 'vault')?.observed.used_bytes
    expect(stores.get('vault')).toMatchObject({
      unknown: ['path'],
      observed: { used_bytes: size, estimated_full_at: null },
    })
    expect(leftOutOf(frames)).toEqual([undefined])
    expect(warningsOf(frames, 'state_unavailable')).toHaveLength(2)
  })

  test('of datastores with an odd comment keeps the one that the configuration has', async () => {
    pbs.faults.add({ kind: 'row', match: { path: '/admin/datastore' }, where: { store: 'tank' }, set: { comment: 5 } })
    const frames = await syncFrames(gateway, 'datastores')
    expect(ofKind(frames, 'datastore').find(({ name }) => name === 'tank')).not.toHaveProperty('unknown')
    expect(warningsOf(frames, 'field_unreadable')).toEqual([expect.stringMatching(/^comment of datastore tank /)])
  })
})

test('a manifest that cannot be read leaves unknown what stands in it, and says so', async () => {
  pbs.faults.add({
    kind: 'row',
    match: listOfAll,
    where: of110,
    set: {
      files: [{ filename: 'drive-scsi0.img.fidx' }, { filename: 'index.json.blob' }],
      size: null,
      verification: null,
      comment: null,
      fingerprint: null,
    },
  })
  const frames = await snapshots()
  const [newest] = ofKind(frames, 'group').find(({ backup_id }) => backup_id === '110')?.snapshots ?? []
  expect(newest).toMatchObject({ finished: true, crypt_mode: '', size_bytes: null, protected: false })
  expect(newest?.unknown?.toSorted()).toEqual([
    'comment',
    'crypt_mode',
    'key_fingerprint',
    'manifest_files',
    'other_files',
    'size_bytes',
    'verification_state',
    'verification_upid',
  ])
  expect(warningsOf(frames, 'manifest_unreadable')).toEqual([
    expect.stringMatching(/^manifest of snapshot vm\/110\/2026-06-01T23:00:00Z cannot be read/),
  ])
})
