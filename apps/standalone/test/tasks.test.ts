import { type PbsState, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectedTasks } from './support/expected-tasks.ts'
import { systemEngines } from './support/homes.ts'
import { allRows, connect, type Row, request, syncAndWait } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'

const day = 86_400
/** Retention is measured by the real clock, so the fleet lives in the present, a day away from the limit. */
const now = Math.floor(Date.now() / 1000)
const kept = now - 89 * day

describe.each(systemEngines)('the tasks of a server on $engine', ({ home }) => {
  let pbs: Simulator
  let running: RunningSystem
  let serverId: number

  const state = (): PbsState => pbs.state
  const sync = () => syncAndWait(running, { resources: ['tasks'] })
  const tasks = (query = ''): Promise<ReadonlyArray<Row>> => allRows(running, 'tasks', query)
  const shown = async () => {
    const fields = ['node', 'worker_type', 'starttime', 'status', 'endtime', 'duration']
    const rows = (await tasks()).filter(({ starttime }) => Date.parse(String(starttime)) / 1000 >= kept)
    return Object.fromEntries(
      rows.map((row) => [
        row['upid'],
        { ...Object.fromEntries(fields.map((field) => [field, row[field]])), outcome: choiceOf(row['outcome']) },
      ]),
    )
  }

  beforeAll(async () => {
    pbs = await startSimulator({ failureDelayMs: 0, snapshots: 300, name: 'pbs-a', seed: 31, now: now - 5 * day })
    running = await startSystem(await home())
    serverId = (await connect(running, pbs)).id
    // PBS still has this task, but it is older than the retention.
    state().tasks.push({ upid: upidAt(now - 200 * day, 'aptupdate', ''), status: 'OK', endtime: now - 200 * day })
  })
  afterAll(async () => {
    await running.stop()
    await pbs.close()
  })

  test('all that are within retention come with a whole sync', async () => {
    expect((await syncAndWait(running)).status.value).toBe('completed')
    expect(await shown()).toEqual(expectedTasks(state(), kept))
    expect((await tasks()).length).toBeGreaterThan(50)
    expect(await tasks('&worker_type=aptupdate')).toHaveLength(1)
  })

  test('a sync without news lands nothing', async () => {
    expect((await sync()).counts).toMatchObject({ created: 0, updated: 0, deleted: 0 })
  })

  test('new ones appear, and one that ran ends', async () => {
    const open = state().tasks.filter(({ status }) => status === null)
    expect(open.length).toBeGreaterThan(1)
    const [first] = open
    if (first !== undefined) Object.assign(first, { status: 'WARNINGS: 1', endtime: now - 4 * day })
    pbs.evolve({ jobRuns: 1 })
    expect((await sync()).status.value).toBe('completed')
    expect(await shown()).toEqual(expectedTasks(state(), kept))
    expect((await tasks('&outcome=warning')).map(({ upid }) => upid)).toContain(first?.upid)
  })

  test('an outage leaves no gap', async () => {
    await pbs.pause()
    const failed = await sync()
    expect([failed.status.value, failed.scopes.map(({ reason }) => reason?.code)]).toEqual(['failed', ['unreachable']])
    for (let days = 0; days < 3; days++) pbs.evolve({ jobRuns: 1 })
    await pbs.resume()
    const before = (await tasks()).length
    expect((await sync()).status.value).toBe('completed')
    expect(await shown()).toEqual(expectedTasks(state(), kept))
    expect((await tasks()).length).toBeGreaterThan(before + 10)
  })

  test('one that ran and is listed no more ends as unknown; others that are gone stay', async () => {
    const [lost] = state().tasks.filter(({ status }) => status === null)
    const all = (await tasks()).length
    pbs.state.tasks = state().tasks.filter((task) => task.status !== null && task.status !== 'OK')
    expect((await sync()).status.value).toBe('completed')
    const rows = await tasks()
    expect(rows.length).toBe(all)
    expect(choiceOf(rows.find(({ upid }) => upid === lost?.upid)?.['outcome'])).toBe('unknown')
    expect(rows.filter(({ outcome }) => choiceOf(outcome) === 'running')).toEqual([])
  })

  test.each<[title: string, query: string, fields: Record<string, unknown>]>([
    ['a job', 'job_type=sync&job_id=s-offsite', { worker_type: 'syncjob', namespace: 'site-a', job_id: 's-offsite' }],
    ['a prune job', 'job_type=prune', { worker_type: 'prunejob', job_id: '' }],
    ['a kind', 'worker_type=garbage_collection', { job_type: 'gc' }],
    ['a user', 'user=backup@pbs!pve', { user: 'backup@pbs!pve', worker_type: 'backup' }],
  ])('are found by %s', async (_, query, fields) => {
    const rows = await tasks(`&server=pbs-a&${query}`)
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) expect(row).toMatchObject(fields)
  })

  test('are found from their group and its verification, newest first, and their facts are read-only', async () => {
    const [task] = await tasks('&worker_type=backup&ordering=-starttime')
    const guest = ['datastore_name', 'backup_type', 'backup_id'].map((field) => `&${field}=${task?.[field]}`).join('')
    const of = await tasks(`&server_id=${serverId}${guest}`)
    expect(of.map(({ id }) => id)).toContain(task?.id)
    const starts = (await tasks()).map(({ starttime }) => String(starttime))
    expect(starts).toEqual(starts.toSorted().reverse())
    const [verified] = await allRows(running, 'snapshots', '&verification_state=ok')
    const upid = encodeURIComponent(String(verified?.['verification_upid']))
    expect(await tasks(`&upid=${upid}`)).toMatchObject([{ outcome: { value: 'ok', label: 'OK' } }])
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const path = method === 'POST' ? '' : `${task?.id}/`
      expect((await request(running, method, `/api/plugins/pbs/tasks/${path}`, {})).status).toBe(405)
    }
    // Only what people attach can be changed.
    const patched = await request(running, 'PATCH', `/api/plugins/pbs/tasks/${task?.id}/`, { worker_type: 'forged' })
    expect([patched.status, (patched.json as Row)['worker_type']]).toEqual([200, 'backup'])
  })
})

const choiceOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'value' in value ? value.value : undefined

const upidAt = (start: number, type: string, id: string): string =>
  `UPID:pbs-a:000003F2:00001A2B:0000FFFF:${start.toString(16).toUpperCase()}:${type}:${id}:root@pam:`
