import { finishedSnapshot, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { homeOnPostgres } from './support/homes.ts'
import { expectInventory } from './support/inventory.ts'
import { allRows, connect, type RunAnswer, request, runEnded, syncAndWait, syncTwice } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'

/** A held deletions as REST shows it. */
interface Held {
  readonly id: number
  readonly url: string
  readonly display: string
  readonly state: { readonly value: string }
  readonly reason: { readonly code: string }
  readonly revision: number
  readonly count: number
  readonly samples: ReadonlyArray<{ readonly display: string; readonly url: string }>
}

const now = 1_790_000_000
const ns = 'held'

let pbs: Simulator
let running: RunningSystem
let store: string

beforeAll(async () => {
  pbs = await startSimulator({ failureDelayMs: 0, snapshots: 60, now, name: 'pbs-held', seed: 31 })
  store = pbs.state.datastores[0]?.name ?? ''
  pbs.addNamespace(store, ns)
  // 100 snapshots in 20 groups: the guard lets 50 of them go, and holds 60.
  for (let guest = 0; guest < 20; guest++) add(guest)
  running = await startSystem(await homeOnPostgres())
  await connect(running, pbs)
  expect((await syncAndWait(running)).status.value).toBe('completed')
})
afterAll(async () => {
  await running?.stop()
  await pbs?.close()
})

const group = (guest: number) => ({ store, ns, backupType: 'vm', backupId: String(9000 + guest) }) as const
function add(guest: number): void {
  for (let day = 0; day < 5; day++) pbs.addSnapshot(group(guest), finishedSnapshot(now - day * 86_400))
}
function lose(...guests: ReadonlyArray<number>): void {
  for (const guest of guests) pbs.removeGroup(group(guest))
}

const missing = async (): Promise<number> => (await allRows(running, 'snapshots', '&missing_since__empty=false')).length
const heldBy = async ({ id }: RunAnswer): Promise<ReadonlyArray<Held>> => {
  const { status, json } = await request(running, 'GET', `/api/plugins/pbs/sync-runs/${id}/held/`)
  expect(status).toBe(200)
  return (json as { results: ReadonlyArray<Held> }).results // border: a test reads what it asserts
}
const onlyOneHeldBy = async (run: RunAnswer): Promise<Held> => {
  const sets = await heldBy(run)
  expect(sets.map(({ display }) => display)).toHaveLength(1)
  return sets[0] as Held
}
const decide = (set: Held, decision: 'confirm' | 'dismiss') =>
  request(running, 'POST', `${set.url}${decision}/`, { revision: set.revision })
const confirmed = async (set: Held): Promise<RunAnswer> => {
  const { status, json } = await decide(set, 'confirm')
  expect(status, JSON.stringify(json)).toBe(201)
  return runEnded(running, (json as RunAnswer).id)
}

test('a store that loses 60 % of its groups: the loss is held, and gone once it is confirmed', async () => {
  lose(...Array.from({ length: 12 }, (_, guest) => guest))
  // One incomplete list is no proof: the rows are missing, and no decision is needed.
  const first = await syncAndWait(running)
  expect(first).toMatchObject({ status: { value: 'completed' }, counts: { deleted: 0, held_back: 0 } })
  expect(await heldBy(first)).toEqual([])
  expect(await missing()).toBe(60)
  const run = await syncAndWait(running)
  expect(run).toMatchObject({ status: { value: 'incomplete' }, counts: { deleted: 0, held_back: 60 } })
  const set = await onlyOneHeldBy(run)
  expect(set).toMatchObject({
    display: `snapshots of pbs-held/${store}/${ns}`,
    reason: { code: 'too_many' },
    state: { value: 'waiting' },
    count: 60,
  })
  expect(set.samples).toHaveLength(10)
  expect((await request(running, 'GET', set.samples[0]?.url ?? '')).status).toBe(200)
  expect(await missing()).toBe(60)

  const requests = pbs.requests.length
  expect(await confirmed(set)).toMatchObject({
    status: { value: 'completed' },
    counts: { deleted: 60, held_back: 0 },
    scope_filter: { datastores: [store], namespaces: [ns] },
  })
  // The run read that namespace and no other.
  const read = pbs.requests.slice(requests).filter(({ path }) => /\/(snapshots|groups)$/.test(path))
  expect(read.length).toBeGreaterThan(0)
  expect(new Set(read.map(({ query }) => query['ns']))).toEqual(new Set([ns]))
  await expectInventory(running, [pbs.state])
  expect((await decide(set, 'confirm')).status).toBe(404)
})

test('a permission that is lost: the shortened lists are held as visibility_changed, and repaired when it returns', async () => {
  const kept = [...pbs.state.acl]
  for (const authId of [pbs.tokens.audit.tokenId, 'inventory@pbs'])
    pbs.state.acl.push({ path: `/datastore/${store}/${ns}`, authId, role: 'NoAccess', propagate: true })
  const run = await syncTwice(running)
  expect(run.status.value).toBe('incomplete')
  const sets = await heldBy(run)
  expect(sets.map(({ display, reason, count }) => [display, reason.code, count])).toEqual([
    [`snapshots of pbs-held/${store}/${ns}`, 'visibility_changed', 40],
    [`namespaces of pbs-held/${store}`, 'visibility_changed', 1],
  ])
  expect(await missing()).toBe(40)

  pbs.state.acl.splice(0, pbs.state.acl.length, ...kept)
  expect((await syncAndWait(running)).status.value).toBe('completed')
  expect(await heldBy(run)).toEqual([])
  expect(await missing()).toBe(0)
  await expectInventory(running, [pbs.state])
})

test('what is dismissed stays in silence, until more is held', async () => {
  lose(...Array.from({ length: 8 }, (_, n) => 12 + n))
  const set = await onlyOneHeldBy(await syncTwice(running))
  expect(set).toMatchObject({ reason: { code: 'emptied' }, count: 40 })
  expect(await decide(set, 'dismiss')).toMatchObject({ status: 200, json: { state: { value: 'dismissed' } } })

  const silent = await syncAndWait(running)
  expect(silent).toMatchObject({ status: { value: 'completed' }, counts: { held_back: 0, deleted: 0 } })
  expect(await heldBy(silent)).toEqual([])
  expect(await missing()).toBe(40)

  // Others come and go as they like.
  for (const guest of [30, 31, 32]) add(guest)
  expect((await syncAndWait(running)).counts).toMatchObject({ created: 15, held_back: 0 })
  lose(30)
  expect(await syncTwice(running)).toMatchObject({
    status: { value: 'completed' },
    counts: { deleted: 5, held_back: 0 },
  })

  lose(31, 32)
  const grown = await onlyOneHeldBy(await syncTwice(running))
  expect(grown).toMatchObject({ id: set.id, state: { value: 'waiting' }, count: 50, revision: set.revision + 1 })
  expect(await decide(set, 'confirm')).toMatchObject({ status: 409, json: { held: { count: 50 } } })
  expect((await confirmed(grown)).counts).toMatchObject({ deleted: 50 })
  await expectInventory(running, [pbs.state])
})
