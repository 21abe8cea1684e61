import { finishedSnapshot, type Simulator, type SnapshotState, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemEngines } from './support/homes.ts'
import { expectInventory } from './support/inventory.ts'
import { allRows, connect, type Row, request, syncAndWait } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'

/** A branch as REST shows it. */
interface BranchAnswer {
  readonly id: number
  readonly url: string
  readonly status: { readonly value: string }
  readonly change_count: number
  readonly conflict_count: number
}

const now = 1_790_000_000
const ns = 'reviewed'
const group = (store: string) => ({ store, ns, backupType: 'vm', backupId: '7000' }) as const
const timestamp = (day: number): number => now - day * 86_400

/** Five snapshots whose notes the source and the operators write; a sync with branches. */
describe.each(systemEngines)('a fleet under review on $engine', ({ home }) => {
  let pbs: Simulator
  let running: RunningSystem
  const source: Array<SnapshotState> = []

  beforeAll(async () => {
    pbs = await startSimulator({ failureDelayMs: 0, snapshots: 40, now, name: 'pbs-review', seed: 17 })
    const store = pbs.state.datastores[0]?.name ?? ''
    pbs.addNamespace(store, ns)
    for (let day = 0; day < 5; day++) {
      const snapshot = finishedSnapshot(timestamp(day), { notes: `first ${day}` })
      source.push(snapshot)
      pbs.addSnapshot(group(store), snapshot)
    }
    running = await startSystem(await home())
    await running.addUser('reviewer')
    await connect(running, pbs)
    expect((await syncAndWait(running)).status.value).toBe('completed')
  })
  afterAll(async () => {
    await running?.stop()
    await pbs?.close()
  })

  const rest = async (method: string, path: string, body?: unknown) => await request(running, method, path, body)
  const settings = async (change: object) =>
    expect((await rest('PATCH', '/api/plugins/pbs/settings/', change)).status).toBe(200)
  const rows = async (): Promise<ReadonlyArray<Row>> =>
    (await allRows(running, 'snapshots', `&namespace=${ns}`)).toSorted((a, b) =>
      String(b['backup_time']).localeCompare(String(a['backup_time'])),
    )
  const comments = async () => (await rows()).map((row) => row['comment'])
  const byUser = async (day: number, comment: string) =>
    expect((await rest('PATCH', `/api/plugins/pbs/snapshots/${(await rows())[day]?.id}/`, { comment })).status).toBe(
      200,
    )
  const sourceSays = (notes: Readonly<Record<number, string>>) => {
    for (const [day, text] of Object.entries(notes)) (source[Number(day)] as SnapshotState).notes = text
  }
  const openBranches = async () =>
    (await allRows(
      running,
      'branches',
      '&status=open&status=in_review&status=ready',
    )) as unknown as ReadonlyArray<BranchAnswer> // border: a test reads what it asserts
  const sync = async () => expect((await syncAndWait(running)).status.value).toBe('completed')
  const noneOpen = async () => expect(await openBranches()).toEqual([])
  const onlyBranch = async (): Promise<BranchAnswer> => {
    const open = await openBranches()
    expect(open).toHaveLength(1)
    return open[0] as BranchAnswer
  }
  const conflictsOf = async ({ id }: Pick<BranchAnswer, 'id'>) =>
    (await allRows(running, `branches/${id}/conflicts`)).map((row) => ({
      kind: row['kind'],
      field: row['field'],
      base: row['base'],
      main: row['main'],
      branch: row['branch'],
      resolution: row['resolution'],
      resolved_by: row['resolved_by'],
    }))
  const disagreement = (base: string, main: string, branch: string, answer: object = {}) => ({
    kind: { value: 'update_update', label: 'Update update' },
    field: 'comment',
    base,
    main,
    branch,
    resolution: null,
    resolved_by: '',
    ...answer,
  })

  test('what operators wrote while a branch waited is the conflict, and nothing else; a decision against the source holds', async () => {
    await settings({ branching_enabled: true, branch_on_conflict: 'abort', branch_approval_required: true })
    sourceSays({ 0: 'source 0', 1: 'source 1', 2: 'source 2' })
    await sync()
    const waiting = await onlyBranch()
    expect(waiting).toMatchObject({ status: { value: 'ready' }, change_count: 3, conflict_count: 0 })
    expect(await comments()).toEqual(['first 0', 'first 1', 'first 2', 'first 3', 'first 4'])

    await byUser(0, 'by a user')
    await byUser(1, 'source 1')
    await byUser(4, 'of no branch')
    await sync()
    const review = await onlyBranch()
    // The second is what the source says too. The last is restored by the run that finds it, which
    // no one else has touched since.
    expect(review).toMatchObject({ id: waiting.id, status: { value: 'in_review' }, conflict_count: 1 })
    expect(await conflictsOf(review)).toEqual([disagreement('first 0', 'by a user', 'source 0')])

    await settings({ branch_approval_required: false })
    const rejected = await rest('POST', `${review.url}merge/`, {})
    expect(rejected).toMatchObject({ status: 409, json: { conflicts: [{ main: 'by a user', branch: 'source 0' }] } })
    expect((await rest('POST', `${review.url}resolve/`, { resolution: 'main', kind: ['update_update'] })).status).toBe(
      200,
    )
    const merged = await rest('POST', `${review.url}merge/`, {})
    expect(merged, JSON.stringify(merged.json)).toMatchObject({ status: 200, json: { status: { value: 'merged' } } })
    expect(await comments()).toEqual(['by a user', 'source 1', 'source 2', 'first 3', 'first 4'])

    for (let run = 0; run < 3; run++) {
      await sync()
      await noneOpen()
      expect(await comments()).toEqual(['by a user', 'source 1', 'source 2', 'first 3', 'first 4'])
    }

    sourceSays({ 0: 'news' })
    await sync()
    const again = await onlyBranch()
    expect(await conflictsOf(again)).toEqual([disagreement('source 0', 'by a user', 'news')])
    expect((await rest('POST', `${again.url}resolve/`, { resolution: 'branch', all: true })).status).toBe(200)
    expect((await rest('POST', `${again.url}merge/`, {})).status).toBe(200)
    await expectInventory(running, [pbs.state])
  })

  test('under overwrite the source wins, and what it overrode is on record', async () => {
    await settings({ branch_on_conflict: 'overwrite', branch_approval_required: true })
    sourceSays({ 2: 'source again 2', 3: 'source again 3' })
    await sync()
    const waiting = await onlyBranch()
    await byUser(2, 'kept by a user?')
    await settings({ branch_approval_required: false })
    await sync()
    await noneOpen()
    expect(await conflictsOf(waiting)).toEqual([
      disagreement('source 2', 'kept by a user?', 'source again 2', {
        resolution: { value: 'branch', label: 'Branch' },
        resolved_by: 'overwrite',
      }),
    ])
    await expectInventory(running, [pbs.state])
  })
})
