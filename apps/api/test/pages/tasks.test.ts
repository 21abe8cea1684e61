import { type Facts, naturalKey } from '@netbox-pbs/core'
import { ChangeSets } from '@netbox-pbs/core/ports'
import { writesOneByOne } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Site, startSite, tokens } from './site.ts'
import { Visitor } from './visitor.ts'

const actor = { user: 'ada', requestId: '7d1c1c1e-0000-4000-8000-000000000001' }
const verification = 'UPID:pbs1:000003F2:00001A2B:00000900:6A1DF2D4:verificationjob:tank\\x3av\\x2d1:root@pam:'

let site: Site
let visitor: Visitor
let server = 0
const ids: Record<string, number> = {}

/** The tasks: seven backups of a guest, a verification, and runs of two prune jobs. */
const facts = (): ReadonlyArray<Facts<'task'>> => {
  const task = (upid: string, worker_type: string, more: Partial<Facts<'task'>>): Facts<'task'> => ({
    server,
    upid,
    node: 'pbs1',
    worker_type,
    worker_id: '',
    user: 'root@pam',
    starttime: '2026-05-01T02:00:00Z',
    datastore_name: 'tank',
    namespace: '',
    backup_type: '',
    backup_id: '',
    job_type: '',
    job_id: '',
    ...more,
  })
  const guest = { backup_type: 'vm', backup_id: '100', worker_id: 'tank:vm/100' }
  return [
    ...[1, 2, 3, 4, 5, 6, 7].map((day) =>
      task(`U${day}`, 'backup', { ...guest, starttime: `2026-05-0${day}T02:00:00Z` }),
    ),
    task(verification, 'verificationjob', { job_type: 'verify', job_id: 'v-1', worker_id: 'tank:v-1' }),
    task('P1', 'prunejob', { job_type: 'prune', worker_id: 'tank' }),
    task('P2', 'prunejob', { job_type: 'prune', worker_id: 'tank:site-a', namespace: 'site-a' }),
  ]
}

beforeAll(async () => {
  site = await startSite(fakeGateway().layer)
  visitor = await new Visitor(site.url).signIn(tokens.reader)
  await site.use(
    Effect.gen(function* () {
      const writes = yield* writesOneByOne
      const rows = [{ name: 'pbs-a', host: 'pbs', token_id: 'a@pbs!b' }]
      server = (yield* writes.create({ model: 'server', rows, actor }))[0] ?? 0
      const snapshot = { server, datastore_name: 'tank', backup_type: 'vm', backup_id: '100' }
      const dated = ['01', '02'].map((day) => ({ ...snapshot, backup_time: `2026-05-${day}T02:00:00Z` }))
      const verified = { ...dated[0], verification_state: 'ok', verification_upid: verification }
      const copied = { ...verified, datastore_name: 'pond' }
      const untold = { ...verified, datastore_name: 'lake', verification_upid: '' }
      const snapshots = yield* writes.create({
        model: 'snapshot',
        rows: [verified, { ...dated[1] }, copied, untold],
        actor,
      })
      const job = { server, store: 'tank' }
      const jobs = yield* writes.create({
        model: 'job',
        rows: [
          {
            ...{
              ...job,
              job_type: 'verify',
              job_id: 'v-1',
              last_run_state: 'error',
              last_run_error: 'no <space> left',
            },
            last_run_endtime: '2026-05-08T04:00:00Z',
          },
          { ...job, job_type: 'prune', job_id: 'p-root' },
        ],
        actor,
      })
      ;[ids['verified'] = 0, ids['plain'] = 0] = snapshots
      ;[ids['verify'] = 0, ids['prune'] = 0] = jobs
      const changeSets = yield* ChangeSets
      const scope = { resource: 'tasks', server: 'pbs-a' } as const
      const changeSet = yield* changeSets.open({ runId: 1, serverId: server })
      yield* changeSets.append({
        changeSet,
        scope,
        model: 'task',
        changes: facts().map((values) => ({ _tag: 'create', key: naturalKey('task', values), values })),
        observed: facts().map((values) => ({
          key: naturalKey('task', values),
          values: { endtime: '2026-05-08T03:00:00Z', outcome: 'warning', status: 'WARNINGS: <2>' },
        })),
      })
      const at = '2026-05-09T00:00:00Z'
      yield* changeSets.land({
        changeSet,
        scope,
        runId: 1,
        at,
        visibility: null,
        held: null,
        listed: true,
        record: null,
      })
    }),
  )
})
afterAll(() => site.stop())

const page = async (path: string) => {
  const { status, text } = await visitor.get(`/plugins/pbs/${path}`)
  expect(status, path).toBe(200)
  return text
}
/** The lists that a page leads to, with their counts. */
const related = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/href="(\/plugins\/pbs\/tasks\/\?[^"]*)"[^>]*>(\w+)<span[^>]*>(\d+)</g)].map(
    ([, , label, count]) => `${label} ${count}`,
  )
const latest = (text: string): number =>
  (/Latest tasks.*?<tbody>(.*?)<\/tbody>/s.exec(text)?.[1] ?? '').split('<tr').length - 1

test('a verification is good where it was made, and not where it came along with a copy', async () => {
  const verifications = async (list: string) => {
    const { text } = await visitor.get(`/plugins/pbs/${list}`)
    return [...text.matchAll(/netbox-pbs-(green|secondary)"[^>]*>(ok[^<]*)</g)].map(([, color, label]) => [
      label,
      color,
    ])
  }
  const shown = (store: string) => verifications(`snapshots/?datastore_name=${store}`)
  expect(await shown('tank')).toEqual([['ok', 'green']])
  expect(await shown('pond')).toEqual([['ok, elsewhere', 'secondary']])
  expect(await shown('lake')).toEqual([['ok, unknown', 'secondary']])
  expect(await verifications('groups/?datastore_name=pond')).toEqual([['ok, elsewhere', 'secondary']])
  expect(await verifications('snapshots/?verification_place=here')).toEqual([['ok', 'green']])
})

test('a job says why its last run failed', async () => {
  const list = await visitor.get('/plugins/pbs/jobs/')
  expect(list.text).toMatch(
    /netbox-pbs-red" title="The run of 2026-05-08 04:00:00 UTC failed: no &lt;space&gt; left">Failing</,
  )
  expect((await visitor.get('/plugins/pbs/')).text).toMatch(
    /jobs\/\?last_run_state=error">1 job failed in its last run</,
  )
  const { text } = await visitor.get(`/plugins/pbs/jobs/${ids['verify']}/`)
  expect(text).toMatch(/Last run error<\/th>.{0,200}no &lt;space&gt; left/s)
})

test('a list of tasks is newest first, and a task has a page', async () => {
  const text = await page('tasks/')
  expect(text).toContain('Showing 1–10 of 10')
  expect(text.indexOf('2026-05-07 02:00:00')).toBeLessThan(text.indexOf('2026-05-06 02:00:00'))
  const [path = ''] = /tasks\/\d+\//.exec(text) ?? []
  const detail = await page(path)
  expect(detail).toContain('Backup vm/100 to tank')
  expect(detail).toContain('25 h 0 min')
  expect(detail).toContain('WARNINGS: &lt;2&gt;')
})

test.each([
  [
    'a snapshot leads to the tasks of its guest, and to the one that verified it',
    () => `snapshots/${ids['verified']}/`,
    ['Tasks 7', 'Verification 1'],
    5,
  ],
  ['a snapshot without a verification', () => `snapshots/${ids['plain']}/`, ['Tasks 7'], 5],
  ['a verify job leads to its runs', () => `jobs/${ids['verify']}/`, ['Tasks 1'], 1],
  ['a prune job to what was pruned where it prunes', () => `jobs/${ids['prune']}/`, ['Tasks 1'], 1],
  ['a server to all', () => `servers/${server}/`, ['Tasks 10'], 5],
])('%s', async (_, path, lists, rows) => {
  const text = await page(path())
  expect([related(text), latest(text)]).toEqual([lists, rows])
})
