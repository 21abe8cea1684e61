import { Branch, SyncRunDetail } from '@netbox-pbs/api/records'
import { startSimulator } from '@netbox-pbs/pbs-simulator'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { netboxPbs } from './support/process.ts'
import { type Rest, request } from './support/rest.ts'
import { newHome, startSystem } from './support/running-system.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 120_000 })

const api = '/api/plugins/pbs'
const send = async (rest: Rest, method: string, path: string, body?: object) => {
  const { status, json } = await request(rest, method, `${api}${path}`, body)
  expect([path, status < 300]).toEqual([path, true])
  return json
}
const Run = SyncRunDetail.pick({ id: true, status: true, counts: true, staged: true })
const listed = async <A>(rest: Rest, path: string, row: z.ZodType<A>) =>
  z.object({ count: z.int(), results: z.array(row) }).parse(await send(rest, 'GET', path))
const first = async <A>(rest: Rest, path: string, row: z.ZodType<A>): Promise<A> => {
  const [found] = (await listed(rest, path, row)).results
  if (found === undefined) throw new Error(`${path} lists nothing`)
  return found
}
const snapshots = async (rest: Rest) => (await listed(rest, '/snapshots/?limit=1', z.unknown())).count

test('a sync whose changes wait in a branch says so, names it and ends with 3; once it is merged they count as landed', async () => {
  const pbs = await startSimulator({ name: 'pbs-a', seed: 5, snapshots: 60, failureDelayMs: 0, now: 1_790_000_000 })
  const system = await startSystem(newHome({}))
  const sync = () => netboxPbs(['sync', '--url', system.url, '--token-file', '-'], { input: system.token })
  try {
    const { host, port, fingerprint, tokens } = pbs
    const { tokenId: token_id, secret: token_secret } = tokens.audit
    await send(system, 'POST', '/servers/', { name: 'pbs-a', host, port, fingerprint, token_id, token_secret })
    expect(await sync()).toMatchObject({ code: 0, stderr: '' })
    await send(system, 'PATCH', '/settings/', { branching_enabled: true, branch_on_conflict: 'abort' })
    const before = await snapshots(system)

    for (const store of pbs.state.datastores) for (const namespace of store.namespaces) namespace.groups.length = 0
    // Rows that one list lacks wait for the next list.
    await sync()
    const { code, stdout, stderr } = await sync()
    const { id, name, conflict_count } = await first(system, '/branches/?status=in_review', Branch)
    const run = await first(system, '/sync-runs/?limit=1', Run)
    expect([code, stderr]).toEqual([3, expect.any(String)])
    expect(stdout).toContain(': 0 created, 0 updated, 0 deleted, ')
    expect(stdout).toMatch(/^waiting in a branch, not landed: 0 created, \d+ updated, [1-9]\d* deleted$/m)
    expect(stdout).toMatch(
      new RegExp(`^branch ${name} is in review, with ${conflict_count} conflicts? to resolve: http`, 'm'),
    )
    expect(stderr).toBe(
      `run ${run.id} has landed nothing of ${run.staged.updated + run.staged.deleted} changes: they wait for review\n`,
    )
    expect(run).toMatchObject({ status: { value: 'completed' }, counts: { created: 0, updated: 0, deleted: 0 } })
    expect(await snapshots(system)).toBe(before)

    await send(system, 'POST', `/branches/${id}/resolve/`, { resolution: 'branch', all: true })
    await send(system, 'POST', `/branches/${id}/merge/`, {})
    expect(await send(system, 'GET', `/sync-runs/${run.id}/`)).toMatchObject({
      counts: { deleted: run.staged.deleted },
      staged: { created: 0, updated: 0, deleted: 0 },
    })
  } finally {
    await system.stop()
    await pbs.close()
  }
})
