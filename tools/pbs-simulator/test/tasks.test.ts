import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SimulatedToken, type Simulator, startSimulator } from '../src/index.ts'
import { ask, type Row } from './client.ts'

const now = 1_780_358_400
let sim: Simulator

beforeAll(async () => {
  sim = await startSimulator({ snapshots: 800, failureDelayMs: 0, now })
})
afterAll(() => sim.close())

const list = async (query = '', token?: SimulatedToken): Promise<{ data: Row[]; total: number }> => {
  const answer = await ask(sim, `/nodes/localhost/tasks${query}`, token === undefined ? {} : { token })
  return JSON.parse(answer.text)
}

test('a page has 50 tasks, running ones first, and a virtual total', async () => {
  const { data, total } = await list()
  expect([data.length, total]).toEqual([50, 51])
  const running = data.filter((row) => row['status'] === undefined)
  expect(data.slice(0, running.length)).toEqual(running)
  const ends = data.slice(running.length).map((row) => Number(row['endtime']))
  expect(ends).toEqual([...ends].sort((left, right) => right - left))
})

test('a limit of 0 is all of them, and pages fit together', async () => {
  const { data, total } = await list('?limit=0')
  expect([data.length, total]).toEqual([sim.state.tasks.length, sim.state.tasks.length])
  const pages = [...(await list('?limit=70')).data, ...(await list('?start=70&limit=0')).data]
  expect(pages).toEqual(data)
})

test('rows have the unescaped worker id, null without one', async () => {
  const [apt] = (await list('?typefilter=apt')).data
  expect(apt).toEqual({
    upid: expect.stringMatching(/^UPID:pbs-a:.*:aptupdate::root@pam:$/),
    node: 'localhost',
    pid: 1010,
    pstart: 6699,
    starttime: now - 5 * 3600,
    worker_type: 'aptupdate',
    worker_id: null,
    user: 'root@pam',
    endtime: now - 5 * 3600 + 4,
    status: 'OK',
  })
  const ids = (await list('?typefilter=syncjob')).data.map((row) => row['worker_id'])
  expect(ids).toEqual(['-:tank:vault::s-local', 'pbs-dr:copies:tank::s-push', 'pbs-dr:vault:vault:site-a:s-offsite'])
})

test.each([
  ['?running=1', ['backup', 'prunejob']],
  ['?statusfilter=warning', ['verificationjob']],
  ['?statusfilter=unknown', ['syncjob']],
  ['?errors=1&typefilter=job', ['prunejob', 'syncjob', 'verificationjob']],
  ['?typefilter=prune&store=tank', ['prunejob']],
  [`?since=${now + 1}`, []],
])('%s', async (query, types) => {
  const { data } = await list(query)
  expect([...new Set(data.map((row) => row['worker_type']))].sort()).toEqual(types)
})

test('without Sys.Audit only the own tasks are seen', async () => {
  expect((await list('', sim.tokens.oneStore)).data).toEqual([])
  const users = (await list('?limit=0', sim.tokens.backup)).data.map(({ user }) => user)
  expect([...new Set(users)]).toEqual(['backup@pbs!pve'])
})

test('job runs leave tasks', async () => {
  const before = sim.state.tasks.length
  const { jobsRun } = sim.evolve({ jobRuns: 1, backups: 0, now: now + 60 })
  expect(sim.state.tasks.length).toBe(before + jobsRun)
  const named = (await list(`?limit=0&since=${now - 3600}`)).data.map(
    (row) => `${row['worker_type']} ${row['worker_id']}`,
  )
  expect(named).toContain('prunejob tank')
  expect(named).toContain('syncjob pbs-dr:vault:vault:site-a:s-offsite')
  expect(named).toContain('tape-backup-job tank:offsite8:lto8a:t-weekly')
})
