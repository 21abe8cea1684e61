import { rmSync } from 'node:fs'
import {
  emptyState,
  emptyStore,
  type FaultInput,
  findGroup,
  finishedSnapshot,
  type JobState,
  type Simulator,
  type SnapshotFile,
  type SnapshotState,
  startSimulator,
  unfinishedSnapshot,
} from '@netbox-pbs/pbs-simulator'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { homeInFolder, homeOnPostgres } from './support/homes.ts'
import { allRows, connect, type Row, type RunAnswer, request, syncAndWait } from './support/rest.ts'
import { type Home, type RunningSystem, startSystem } from './support/running-system.ts'
import { onPglite, onPostgres, rowVersions, writtenRows } from './support/written-rows.ts'

const now = 1_790_000_000
const day = (count: number): number => now - count * 86_400
const upid = 'UPID:pbs:000003E8:000003E8:00000001:6AB13B00:verificationjob:tank:root@pam:'

const encrypted: ReadonlyArray<SnapshotFile> = [
  { filename: 'drive-scsi0.img.fidx', 'crypt-mode': 'encrypt', size: 8_589_934_592 },
  { filename: 'index.json.blob', 'crypt-mode': 'sign-only', size: 601 },
]
const whole = (time: number, change: Partial<SnapshotState> = {}): SnapshotState =>
  finishedSnapshot(time, {
    files: [...encrypted],
    verification: { upid, state: 'ok' },
    fingerprint: 'ab:cd',
    notes: 'before the upgrade',
    ...change,
  })
/** The operator's values; no request of ours can write them yet. */
const attached = `tags = '[{"name": "kept"}]', custom_fields = '{"rack": "r1"}'`

const group = (backupId: string, store = 'tank') => ({ store, ns: '', backupType: 'vm', backupId })

/** A small server, every guest of which a test has for itself. */
async function startServer(): Promise<Simulator> {
  const fleet = emptyState({ name: 'pbs-a', seed: 7, now })
  fleet.datastores.push(emptyStore('tank'), emptyStore('pond'))
  const pbs = await startSimulator({ fleet, failureDelayMs: 0 })
  for (const id of ['manifest', 'branched-manifest', 'left-out', 'silent', 'steady'])
    for (const days of [3, 2, 1]) pbs.addSnapshot(group(id), whole(day(days)))
  pbs.addSnapshot(group('stored', 'pond'), whole(day(1)))
  // A task of its own tells the server's node.
  fleet.tasks.push({ upid: upid.replace('verificationjob:tank', 'logrotate:'), status: 'OK', endtime: day(1) + 60 })
  return pbs
}

const engines = [
  {
    engine: 'PostgreSQL',
    home: homeOnPostgres,
    evidence: ({ databaseUrl }: Home) => writtenRows(databaseUrl ?? ''),
    execute: ({ databaseUrl }: Home, statement: string) => onPostgres(databaseUrl ?? '', statement),
  },
  {
    engine: 'PGlite',
    home: homeInFolder,
    evidence: ({ dataDir }: Home) => rowVersions(dataDir ?? ''),
    execute: ({ dataDir }: Home, statement: string) => onPglite(dataDir ?? '', statement),
  },
]

/** On both engines with NETBOX_PBS_MATRIX=all (`pnpm matrix`); else on PostgreSQL. */
const chosen = engines.filter(({ engine }) => engine === 'PostgreSQL' || process.env['NETBOX_PBS_MATRIX'] === 'all')

describe.each(chosen)('what a PBS cannot say becomes nothing untrue, on $engine', ({ home, evidence, execute }) => {
  let pbs: Simulator
  let at: Home
  let running: RunningSystem

  beforeAll(async () => {
    pbs = await startServer()
    at = await home()
    running = await startSystem(at)
    await connect(running, pbs)
    expect((await syncAndWait(running)).status.value).toBe('completed')
    await running.stop()
    for (const table of ['datastores', 'groups', 'snapshots']) await execute(at, `update ${table} set ${attached}`)
    running = await startSystem(at)
    await running.addUser('reviewer')
  })
  afterAll(async () => {
    await running.stop()
    await pbs.close()
    if (at.dataDir !== null) rmSync(at.dataDir, { recursive: true, force: true })
  })
  afterEach(() => pbs.faults.clear())

  const inBranch = (branch: string | null) => (branch === null ? '' : `&_branch=${branch}`)
  const snapshots = async (id: string, branch: string | null = null) =>
    (await allRows(running, 'snapshots', `&backup_id=${id}&ordering=-backup_time${inBranch(branch)}`)).map(stored)
  const groups = async (id: string, branch: string | null = null) =>
    (await allRows(running, 'groups', `&backup_id=${id}${inBranch(branch)}`)).map(stored)
  const changesOf = async (model: string, id: number) =>
    (await allRows(running, 'changes', `&changed_object_type=netbox_pbs.pbs${model}&changed_object_id=${id}`)).length
  const settings = async (change: object) =>
    expect((await request(running, 'PATCH', '/api/plugins/pbs/settings/', change)).status).toBe(200)
  const waitingBranch = async (): Promise<string> => {
    const open = await allRows(running, 'branches', '&status=open&status=in_review&status=ready')
    expect(open.map(({ name }) => name)).toHaveLength(1)
    return String(open[0]?.['schema_id'])
  }
  const reviewed = () =>
    settings({ branching_enabled: true, branch_on_conflict: 'abort', branch_approval_required: true })
  const closed = async () => {
    for (const { id } of await allRows(running, 'branches', '&status=open&status=in_review&status=ready'))
      expect((await request(running, 'POST', `/api/plugins/pbs/branches/${id}/close/`)).status).toBe(200)
    await settings({ branching_enabled: false })
  }

  /** An unreadable manifest: PBS lists the names of its files and none of its contents. */
  const unreadable = (id: string, time: number): FaultInput => ({
    kind: 'row',
    match: { path: '/admin/datastore/tank/snapshots' },
    where: { 'backup-id': id, 'backup-time': time },
    set: {
      size: null,
      comment: null,
      verification: null,
      fingerprint: null,
      files: encrypted.map(({ filename }) => ({ filename })),
    },
  })
  const codes = (run: RunAnswer) => [...new Set(run.warnings.map(({ code }) => code))]

  test('a manifest that cannot be read leaves what is known, and raises no alarm; a changed backup does', async () => {
    const before = await snapshots('manifest')
    const [newest] = before
    expect(newest).toMatchObject({ crypt_mode: 'encrypt', verification_state: 'ok', size_bytes: 8_589_935_193 })
    const changes = await changesOf('snapshot', Number(newest?.id))
    pbs.faults.add(unreadable('manifest', day(1)))
    // The group is read, not skipped as equal: its other new rows land.
    pbs.addSnapshot(group('manifest'), whole(day(4)))
    for (let round = 0; round < 2; round += 1) {
      expect(codes(await syncAndWait(running))).toEqual(['manifest_unreadable'])
      expect((await snapshots('manifest')).slice(0, 3)).toEqual(before)
      expect(await snapshots('manifest')).toHaveLength(4)
    }
    pbs.faults.clear()
    expect(codes(await syncAndWait(running))).toEqual([])
    expect((await snapshots('manifest')).slice(0, 3)).toEqual(before)
    expect(await changesOf('snapshot', Number(newest?.id))).toBe(changes)

    const last = findGroup(pbs.state, group('manifest')).snapshots.find(({ backupTime }) => backupTime === day(1))
    if (last !== undefined) last.files = encrypted.map((file) => ({ ...file, size: 1 }))
    expect(codes(await syncAndWait(running))).toEqual(['immutable_changed'])
  })

  test('a manifest that could not be read from the start is filled in without an alarm', async () => {
    pbs.faults.add(unreadable('late-manifest', day(1)))
    pbs.addSnapshot(group('late-manifest'), whole(day(1)))
    expect(codes(await syncAndWait(running))).toEqual(['manifest_unreadable'])
    expect(await snapshots('late-manifest')).toMatchObject([
      { finished: true, size_bytes: null, crypt_mode: '', verification_state: '', comment: '' },
    ])
    pbs.faults.clear()
    expect(codes(await syncAndWait(running))).toEqual([])
    expect(await snapshots('late-manifest')).toMatchObject([
      { size_bytes: 8_589_935_193, crypt_mode: 'encrypt', verification_state: 'ok', comment: 'before the upgrade' },
    ])
  })

  test('a manifest that cannot be read changes nothing in a branch either', async () => {
    const before = await snapshots('branched-manifest')
    await reviewed()
    pbs.faults.add(unreadable('branched-manifest', day(1)))
    pbs.addSnapshot(group('branched-manifest'), whole(day(4)))
    expect(codes(await syncAndWait(running))).toEqual(['manifest_unreadable'])
    const branch = await waitingBranch()
    expect((await snapshots('branched-manifest', branch)).slice(0, 3)).toEqual(before)
    expect(await snapshots('branched-manifest', branch)).toHaveLength(4)
    await closed()
  })

  test('a group that cannot be read is left out, over two runs, and returns as the same', async () => {
    const before = [...(await groups('left-out')), ...(await snapshots('left-out'))]
    const rejected = (query: Readonly<Record<string, string>>): FaultInput => ({
      kind: 'status',
      status: 400,
      body: 'EACCES: Permission denied (os error 13)',
      match: { path: '/admin/datastore/tank/snapshots', query },
    })
    pbs.faults.add(rejected({ 'backup-type': '' }))
    pbs.faults.add(rejected({ 'backup-id': 'left-out' }))
    for (let round = 0; round < 2; round += 1) {
      const run = await syncAndWait(running)
      expect(run).toMatchObject({ status: { value: 'incomplete' }, counts: { deleted: 0 } })
      expect(heldOf(run)).toEqual(['snapshots of pbs-a/tank: held_back left_out'])
      expect([...(await groups('left-out')), ...(await snapshots('left-out'))]).toEqual(before)
    }
    pbs.faults.clear()
    expect((await syncAndWait(running)).status.value).toBe('completed')
    expect([...(await groups('left-out')), ...(await snapshots('left-out'))]).toEqual(before)
  })

  test('a datastore that cannot be read is left out, over two runs, and returns as the same', async () => {
    const stores = async () => (await allRows(running, 'datastores', '&name=pond')).map(stored)
    const before = [...(await stores()), ...(await snapshots('stored'))]
    pbs.faults.add({ kind: 'row', match: { path: '/admin/datastore' }, where: { store: 'pond' }, set: null })
    for (let round = 0; round < 2; round += 1) {
      const run = await syncAndWait(running)
      expect(run).toMatchObject({ status: { value: 'incomplete' }, counts: { deleted: 0 } })
      expect(heldOf(run)).toEqual(['datastores of pbs-a: held_back left_out'])
      expect([...(await stores()), ...(await snapshots('stored'))]).toEqual(before)
    }
    pbs.faults.clear()
    expect((await syncAndWait(running)).status.value).toBe('completed')
    expect([...(await stores()), ...(await snapshots('stored'))]).toEqual(before)
  })

  test('a group and a datastore that one list leaves out in silence are missing, and return as the same', async () => {
    const rows = async () => [
      ...(await groups('silent')),
      ...(await snapshots('silent')),
      ...(await allRows(running, 'datastores', '&name=pond')).map(stored),
      ...(await snapshots('stored')),
    ]
    const before = await rows()
    const kept = pbs.state.datastores
    findGroup(pbs.state, group('silent')).ownerReadable = false
    pbs.state.datastores = kept.filter(({ name }) => name !== 'pond')
    const run = await syncAndWait(running)
    expect(run).toMatchObject({ status: { value: 'completed' }, counts: { deleted: 0 } })
    expect((await groups('silent')).map(({ missing_since }) => missing_since)).toEqual([expect.stringMatching(/Z$/)])
    expect((await rows()).map(({ id }) => id)).toEqual(before.map(({ id }) => id))
    findGroup(pbs.state, group('silent')).ownerReadable = true
    pbs.state.datastores = kept
    expect((await syncAndWait(running)).status.value).toBe('completed')
    expect(await rows()).toEqual(before)
  })

  test('a verification that came along with a copy was made elsewhere', async () => {
    const places = async (query: string) =>
      (await allRows(running, 'snapshots', query)).map(({ verification_place }) => verification_place)
    const [here] = await places('&backup_id=manifest')
    expect(here).toEqual({ value: 'here', label: 'Here' })
    const elsewhere = { value: 'elsewhere', label: 'Elsewhere' }
    expect(await places('&backup_id=stored')).toEqual([elsewhere])
    expect(await places('&verification_place=elsewhere')).toEqual([elsewhere])
    expect((await allRows(running, 'groups', '&backup_id=stored'))[0]).toMatchObject({
      newest_verification: 'ok',
      newest_verification_place: elsewhere,
    })
  })

  test('an unfinished snapshot counts as a backup nowhere, in main and in a branch', async () => {
    const time = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
    const counters = (list: ReadonlyArray<Row>) =>
      list.map(({ snapshot_count, first_backup, last_backup, newest_verification, unfinished_since }) => ({
        snapshot_count,
        first_backup,
        last_backup,
        newest_verification,
        unfinished_since,
      }))
    const none = { first_backup: null, last_backup: null, newest_verification: '' }
    const backedUp = { first_backup: time(day(3)), last_backup: time(day(1)), newest_verification: 'ok' }
    pbs.addSnapshot(group('steady'), unfinishedSnapshot(day(4)))
    pbs.addSnapshot(group('steady'), unfinishedSnapshot(now - 60))
    pbs.addSnapshot(group('begun'), unfinishedSnapshot(now - 60))
    await syncAndWait(running)
    expect(counters(await groups('steady'))).toEqual([
      { snapshot_count: 5, ...backedUp, unfinished_since: time(day(4)) },
    ])
    expect(counters(await groups('begun'))).toEqual([{ snapshot_count: 1, ...none, unfinished_since: time(now - 60) }])

    await reviewed()
    pbs.addSnapshot(group('steady'), unfinishedSnapshot(now - 30))
    pbs.addSnapshot(group('branched'), unfinishedSnapshot(now - 30))
    await syncAndWait(running)
    const branch = await waitingBranch()
    expect(counters(await groups('steady', branch))).toEqual([
      { snapshot_count: 6, ...backedUp, unfinished_since: time(day(4)) },
    ])
    expect(counters(await groups('branched', branch))).toEqual([
      { snapshot_count: 1, ...none, unfinished_since: time(now - 30) },
    ])
    await closed()
  })

  test('an equal run writes nothing, whatever texts the server has', async () => {
    const odd = (text: string) => `${text}\u0000\u001b[2J\u0007\u009b\u2028\u202e\ud800x\udc00 ${'ü'.repeat(2500)}`
    const job = (id: string, change: Partial<JobState> = {}): JobState => ({
      id,
      store: 'tank',
      ns: null,
      schedule: 'daily',
      comment: odd('comment'),
      options: {},
      lastRun: null,
      nextRun: null,
      ...change,
    })
    const { state } = pbs
    const [tank] = state.datastores
    if (tank === undefined) throw new Error('no datastore')
    tank.comment = odd('store')
    tank.path = odd('/mnt')
    tank.gcSchedule = odd('daily')
    tank.maintenance = { mode: 'read-only', message: odd('disks') }
    const answers = (path: string, data: object): FaultInput => ({
      kind: 'body',
      body: JSON.stringify({ data }),
      match: { path },
    })
    pbs.faults.add(answers('/version', { version: odd('4.2'), release: odd('1'), repoid: odd('r') }))
    pbs.faults.add(answers('/nodes/localhost/time', { timezone: odd('UTC'), time: now, localtime: now }))
    state.jobs.verify.push(
      job('verify-a'),
      job(odd('v')),
      job('verify-b', { store: odd('tank'), schedule: odd('daily') }),
    )
    state.jobs.prune.push({ ...job('prune-a', { ns: odd('ns') }), disable: false })
    state.jobs.sync.push({
      ...job('sync-a'),
      direction: 'pull',
      remote: odd('remote'),
      remoteStore: odd('store'),
      remoteNs: null,
    })
    state.jobs.tape.push({ ...job('tape-a'), nextMediaLabel: odd('label') })
    state.tasks.push({ upid, status: odd('error'), endtime: day(1) + 60 })
    pbs.addSnapshot(
      group('odd'),
      whole(day(1), {
        notes: odd('notes'),
        verification: { upid: odd(upid), state: odd('ok') },
        fingerprint: odd('ab'),
      }),
      odd('owner@pbs'),
    )
    findGroup(state, group('odd')).notes = odd('notes')
    pbs.addSnapshot(group(odd('9')), whole(day(1)))
    tank.namespaces.push({ path: odd('ns'), groups: [] })

    const first = await syncAndWait(running)
    // A name that would become another is left out, so those lists are not whole.
    expect(heldOf(first)).toEqual([
      'namespaces of pbs-a/tank: held_back left_out',
      'prune jobs of pbs-a: held_back left_out',
      'snapshots of pbs-a/tank: held_back left_out',
      'verify jobs of pbs-a: held_back left_out',
    ])
    expect((await allRows(running, 'jobs')).length).toBeGreaterThan(3)
    const restart = async () => {
      await running.stop()
      const seen = await evidence(at)
      running = await startSystem(at)
      return seen
    }
    const before = await restart()
    const second = await syncAndWait(running)
    expect(second.counts).toMatchObject({ created: 0, updated: 0, deleted: 0 })
    expect(heldOf(second)).toEqual(heldOf(first))
    expect(await allRows(running, 'changes', `&run=${second.id}`)).toEqual([])
    expect(await restart()).toEqual(before)
  })
})

/** A row without what an observation moves. */
const stored = ({ last_seen_at: _, usage_at: __, ...row }: Row): Row => row as Row

const heldOf = ({ scopes }: RunAnswer) =>
  scopes
    .filter(({ outcome }) => !['landed', 'unchanged', 'staged'].includes(outcome.value))
    .map(({ display, outcome, reason }) => `${display}: ${outcome.value} ${reason?.code}`)
    .sort()
