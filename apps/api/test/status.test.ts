import {
  type Branch,
  type BranchAction,
  type BranchStatus,
  branchActions,
  branchAllows,
  branchStatuses,
  noRows,
  type RunAction,
  type RunStatus,
  runActions,
  runAllows,
  runStates,
  runStatuses,
} from '@netbox-pbs/core'
import { Branches, ChangeSets, Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Ask, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs/'
let api: TestApi
let server: { readonly id: number }
let store: { readonly id: number }

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  const body = { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }
  server = (await api.ask('POST', `${root}servers/`, { body })).json
  const tank = { server: { id: server.id }, name: 'tank', path: '/mnt/tank' }
  store = (await api.ask('POST', `${root}datastores/`, { body: tank })).json
})
afterAll(() => api.stop())

/** Makes a branch of another user, and brings it into a status as users and runs do. */
const branchWith = (name: string, status: BranchStatus): Promise<Target> =>
  api.run(
    Effect.gen(function* () {
      const branches = yield* Branches
      const about = { kind: 'operator', description: '', user: 'other', runId: null, review: false } as const
      const branch = yield* branches.create({ name, ...about })
      const { id } = branch
      if (status === 'open') return branch
      if (status === 'merged')
        yield* branches.merge({ id, commit: true, by: { runId: 7 }, at: '2026-06-01T00:00:00Z', approval: false })
      else if (status === 'ready' || status === 'in_review') {
        if (status === 'in_review') yield* conflict(branch)
        yield* branches.check({ id })
      } else yield* branches.close({ id, status })
      return branch
    }),
  )

/** Changes one field in main and in a branch. */
const conflict = ({ id, schema_id }: Target) =>
  Effect.promise(async () => {
    const path = `${root}datastores/${store.id}/`
    await api.ask('PATCH', path, { headers: { 'X-NetBox-Branch': schema_id }, body: { comment: `branch ${id}` } })
    await api.ask('PATCH', path, { body: { comment: `main ${id}` } })
  })

/** The result of an attempt: `allowed`, or the text that rejects it. */
const rest = async (method: string, path: string, ask: Ask): Promise<string> => {
  const { status, text, json } = await api.ask(method, `${root}${path}`, ask)
  if (status < 300) return 'allowed'
  expect([400, 409], text).toContain(status)
  return json.detail
}

type Target = Pick<Branch, 'id' | 'name' | 'schema_id'>

/** A request for each action that changes nothing where it can, so that the status alone decides. */
const attempts: Readonly<Record<BranchAction, (branch: Target) => Promise<string>>> = {
  read: ({ schema_id }) => rest('GET', 'datastores/', { headers: { 'X-NetBox-Branch': schema_id } }),
  edit: ({ schema_id }) =>
    rest('PATCH', `datastores/${store.id}/`, { headers: { 'X-NetBox-Branch': schema_id }, body: { comment: 'new' } }),
  stage: ({ id: branch }) =>
    port(
      Effect.gen(function* () {
        const changeSets = yield* ChangeSets
        const changeSet = yield* changeSets.open({ runId: 7, serverId: server.id })
        const scope = { resource: 'datastores', server: 'pbs-a' } as const
        const landing = { changeSet, scope, runId: 7, at: '2026-06-01T00:00:00Z', visibility: null, held: null }
        yield* changeSets.stage({ ...landing, listed: true, record: null, branch })
      }),
    ),
  check: ({ id }) => port(Effect.flatMap(Branches, (branches) => branches.check({ id }))),
  resolve: ({ id }) => rest('POST', `branches/${id}/resolve/`, { body: { resolution: 'main', all: true } }),
  sync: ({ id }) => rest('POST', `branches/${id}/sync/`, { body: { commit: false } }),
  approve: async ({ id }) => {
    const { revision } = (await api.ask('GET', `${root}branches/${id}/`)).json
    return rest('POST', `branches/${id}/approve/`, { body: { revision } })
  },
  merge: ({ id }) => rest('POST', `branches/${id}/merge/`, { body: { commit: false } }),
  close: ({ id }) => rest('POST', `branches/${id}/close/`, {}),
  revert: ({ id }) => rest('POST', `branches/${id}/revert/`, { body: { commit: false } }),
  rename: ({ id }) => rest('PATCH', `branches/${id}/`, { body: { description: 'new' } }),
}

const port = (work: Parameters<TestApi['run']>[0]): Promise<string> =>
  api.run(
    Effect.match(work as Effect.Effect<unknown, { readonly message: string }, never>, {
      onFailure: ({ message }) => `${message}.`,
      onSuccess: () => 'allowed',
    }),
  )

/**
 * Why an action is rejected, beginning with its status. Conflicts prevent a merge and a rebase that
 * the status allows.
 */
const rejection = (action: BranchAction, { id, name }: Target, status: BranchStatus): string => {
  if (branchAllows({ status }, action))
    return status === 'in_review' && (action === 'merge' || action === 'sync')
      ? `branch ${id} has 1 open conflict: resolve it, then merge again.`
      : 'allowed'
  const words = status.replace('_', ' ')
  if (action === 'read' || action === 'edit')
    return `Branch ${name} is ${words}: only an open branch can be read and written; leave X-NetBox-Branch and _branch out to work on main.`
  return action === 'revert'
    ? `branch ${id} is ${words}: only a merged branch can be reverted.`
    : `branch ${id} is ${words}: only an open branch can be changed or merged.`
}

test.each(branchStatuses)('a branch that is %s allows what the table says', async (status) => {
  for (const action of branchActions) {
    const branch = await branchWith(`${status}-${action}`, status)
    expect((await api.ask('GET', `${root}branches/${branch.id}/`)).json.status.value).toBe(status)
    expect([action, await attempts[action](branch)]).toEqual([action, rejection(action, branch, status)])
  }
})

/** Records a run, and brings it into a status as workers and users do. */
const runWith = (status: RunStatus): Promise<number> =>
  api.run(
    Effect.gen(function* () {
      const runs = yield* Runs
      const { id } = yield* runs.create({ resources: ['datastores'], servers: null, trigger: 'manual', user: '' })
      const job = { id, serverId: server.id }
      if (status === 'pending') return id
      if (status === 'cancelled') yield* runs.requestCancel({ id })
      if (status === 'running') yield* runs.startJob(job)
      if (status === 'incomplete') {
        for (const outcome of ['landed', 'failed'] as const) {
          const scope = { resource: outcome === 'failed' ? 'tasks' : 'datastores', server: 'pbs-a' } as const
          const at = '2026-06-01T00:00:00Z'
          const result = { scope, outcome, reason: null, counts: noRows, started: at, ended: at }
          yield* runs.recordScope({ ...job, result })
        }
      }
      if (!runStates[status].open) yield* runs.end({ id, error: status === 'failed' ? 'no server' : null })
      return id
    }),
  )

const runAttempts: Readonly<Record<RunAction, (id: number) => Promise<string>>> = {
  cancel: (id) => rest('POST', `sync-runs/${id}/cancel/`, {}),
  work: (id) =>
    api.run(
      Effect.map(
        Effect.flatMap(Runs, (runs) => runs.startJob({ id, serverId: server.id })),
        (started) => (started ? 'allowed' : `Run ${id} has ended.`),
      ),
    ),
}

test.each(runStatuses)('a run that is %s allows what the table says', async (status) => {
  for (const action of runActions) {
    const id = await runWith(status)
    expect((await api.ask('GET', `${root}sync-runs/${id}/`)).json.status.value).toBe(status)
    const expected = runAllows({ status }, action) ? 'allowed' : `Run ${id} has ended.`
    expect([action, await runAttempts[action](id)]).toEqual([action, expected])
  }
})
