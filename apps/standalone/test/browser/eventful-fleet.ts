import { finishedSnapshot, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { expect } from 'vitest'
import { allRows, connect, type Row, request, syncAndWait, syncTwice } from '../support/rest.ts'
import type { RunningSystem } from '../support/running-system.ts'

const now = 1_790_000_000
const long = 'a-name-that-is-much-longer-than-those-which-people-give-to-their-machines-as-a-rule'
const guest = { ns: 'customers/one-with-a-long-name/production', backupType: 'host', backupId: long } as const

/**
 * Adds to a system what pages have to show on bad days: long names, a server that does not answer,
 * deletions that wait, and a branch in conflict. Answers with the servers, for the caller to close.
 */
export async function addEvents(running: RunningSystem): Promise<ReadonlyArray<Simulator>> {
  const pbs = await startSimulator({ name: long, snapshots: 10, now, seed: 5, failureDelayMs: 0 })
  const down = await startSimulator({ name: 'pbs-down', snapshots: 10, now, seed: 6, failureDelayMs: 0 })
  const store = pbs.state.datastores[0]?.name ?? ''
  pbs.addNamespace(store, guest.ns)
  for (let day = 0; day < 60; day++)
    pbs.addSnapshot({ store, ...guest }, finishedSnapshot(now - day * 86_400, { notes: `${long} ${long}` }))
  await connect(running, pbs)
  await connect(running, down)
  await syncAndWait(running, { servers: [long, 'pbs-down'] })
  await addConflict(running)
  pbs.removeGroup({ store, ...guest })
  await down.pause()
  await syncTwice(running)
  return [pbs, down]
}

async function addConflict(running: RunningSystem): Promise<void> {
  const rest = (method: string, path: string, body?: unknown) => request(running, method, path, body)
  const [edited] = await allRows(running, 'snapshots', `&backup_id=${long}`)
  const { json } = await rest('POST', '/api/plugins/pbs/branches/', { name: `review ${long}` })
  const branch = json as Row & { readonly schema_id: string; readonly url: string } // border: a test reads what it asserts
  const path = `/api/plugins/pbs/snapshots/${edited?.id}/`
  const inBranch = await rest('PATCH', `${path}?_branch=${branch.schema_id}`, { comment: `branch ${long}` })
  expect(inBranch.status).toBe(200)
  expect((await rest('PATCH', path, { comment: `main ${long}` })).status).toBe(200)
  expect((await rest('POST', `${branch.url}merge/`, {})).status).toBe(409)
}
