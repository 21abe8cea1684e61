import { type Facts, formatTimestamp } from '@netbox-pbs/core'
import { Branches, Inventory, InventoryWrites, Runs, SettingsStore, Source } from '@netbox-pbs/core/ports'
import { Database, inventoryLayer, queueLayer, secretBoxLayer, settingsLayer } from '@netbox-pbs/store-postgres'
import { pglite } from '@netbox-pbs/store-postgres/engines'
import { type JobPorts, startRun } from '@netbox-pbs/sync'
import { type FleetServer, fleetFrames } from '@netbox-pbs/sync/memory'
import { collect } from '@netbox-pbs/testing'
import { Effect, FastCheck, Layer, ManagedRuntime, Redacted, Stream } from 'effect'
import { afterAll, expect, test } from 'vitest'
import { tick } from '../src/index.ts'

let fleet: ReadonlyArray<FleetServer> = []
/** Groups that were parsed, as a run goes. */
let parsed = 0

const source = Layer.succeed(Source, {
  frames: (request) =>
    Stream.suspend(() => Stream.fromIterable(fleetFrames(fleet, request))).pipe(
      Stream.flatMap((item) => (Effect.isEffect(item) ? Stream.drain(Stream.fromEffect(item)) : Stream.make(item))),
      Stream.map((item) =>
        item._tag === 'group'
          ? { ...item, parse: Effect.tap(item.parse, () => Effect.sync(() => void parsed++)) }
          : item,
      ),
    ),
})
const box = secretBoxLayer({ key: Redacted.make(Buffer.alloc(32, 7).toString('base64')), keyName: 'TEST_KEY' })
const stores = Layer.mergeAll(inventoryLayer, queueLayer, settingsLayer).pipe(
  Layer.provideMerge(pglite.migrated),
  Layer.provide(box),
)
const system = ManagedRuntime.make(Layer.merge(stores, source))
afterAll(() => system.dispose())

const resources = ['servers', 'datastores', 'snapshots'] as const
const actor = { user: 'ann', requestId: 'a2f3a0d2-58c5-4d7a-8c46-2a4f5c0e7b11' }
const guests = ['vm/1', 'vm/2', 'ct/3'] as const

type Groups = Readonly<Record<(typeof guests)[number], ReadonlyArray<number>>>
const serverOf = (name: string, groups: Groups): FleetServer => ({
  name,
  endpointId: 1,
  datastores: { tank: { namespaces: { '': groups } } },
})

/** Syncs the fleet; gives what the run staged. */
const sync = Effect.gen(function* () {
  parsed = 0
  const { id } = yield* startRun({ resources, servers: null, trigger: 'manual', user: 'admin' })
  const work: Effect.Effect<void, unknown, JobPorts> = Effect.repeat(tick, { while: (worked) => worked })
  yield* work
  const { status, staged } = yield* Effect.flatten((yield* Runs).get({ id }))
  return { status, staged }
})

/** The changes that wait in the open branches, without the times of writing. */
const waits = Effect.gen(function* () {
  const branches = yield* Branches
  const { rows } = yield* branches.list({ statuses: ['open', 'ready', 'in_review'], limit: 10, offset: 0 })
  return yield* Effect.forEach(rows, ({ id }) =>
    Effect.map(branches.changes({ id, limit: 500, offset: 0 }), (changes) =>
      changes.rows.map((change) => JSON.stringify(change)).toSorted(),
    ),
  )
})

/** Makes the next run read every group again. */
const forgetDigests = Effect.flatMap(Database, ({ driver }) =>
  Effect.promise(async () => {
    if (driver._tag === 'pglite') await driver.pglite.query('delete from branch_group_digests')
  }),
)

const branching = (enabled: boolean) =>
  Effect.flatMap(SettingsStore, (settings) =>
    settings.update({ branching_enabled: enabled, branch_approval_required: enabled }),
  )

const step = FastCheck.oneof(
  FastCheck.record({
    _tag: FastCheck.constant('source' as const),
    guest: FastCheck.constantFrom(...guests),
    hours: FastCheck.uniqueArray(FastCheck.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }),
  }),
  FastCheck.record({ _tag: FastCheck.constant('edit' as const), nth: FastCheck.nat(20) }),
  FastCheck.record({ _tag: FastCheck.constant('add' as const), hour: FastCheck.integer({ min: 6, max: 9 }) }),
  FastCheck.constant({ _tag: 'rebase' as const }),
  FastCheck.constant({ _tag: 'land' as const }),
  FastCheck.constant({ _tag: 'nothing' as const }),
)

let server = 0

/** 25 histories with NETBOX_PBS_RACES=all (`pnpm races`); else two. */
const histories = process.env['NETBOX_PBS_RACES'] === 'all' ? 25 : 2

test('whatever source and users do, what a run retains is what it would stage', {
  timeout: histories * 60_000,
}, async () => {
  let unread = 0
  await FastCheck.assert(
    FastCheck.asyncProperty(FastCheck.array(step, { minLength: 4, maxLength: 8 }), async (steps) => {
      const name = `pbs-${++server}`
      let groups: Groups = { 'vm/1': [1, 2], 'vm/2': [1], 'ct/3': [3] }
      fleet = [serverOf(name, groups)]
      await system.runPromise(Effect.zipRight(branching(false), sync))
      await system.runPromise(branching(true))
      const main = Effect.gen(function* () {
        const inventory = yield* Inventory
        const servers = yield* collect(inventory.servers())
        const serverId = servers.find(({ facts }) => facts.name === name)?.id ?? 0
        const found = yield* collect(inventory.groups({ serverId, datastore: 'tank', namespace: '' }))
        return yield* collect(inventory.snapshots({ groupIds: found.map(({ id }) => id) }))
      })
      for (const next of steps) {
        await system.runPromise(
          Effect.gen(function* () {
            const writes = yield* InventoryWrites
            const rows = yield* main
            const [first] = rows
            if (next._tag === 'source') {
              groups = { ...groups, [next.guest]: next.hours }
              fleet = [serverOf(name, groups)]
            } else if (next._tag === 'edit') {
              const row = rows[next.nth % Math.max(1, rows.length)]
              const values = { comment: `by a user ${next.nth}` }
              if (row !== undefined) yield* writes.update({ model: 'snapshot', rows: [{ id: row.id, values }], actor })
            } else if (next._tag === 'add' && first !== undefined) {
              const backup_time = formatTimestamp(Date.parse(first.facts.backup_time) + next.hour * 3_600_000 + 1000)
              const added: Facts<'snapshot'> = { ...first.facts, backup_time }
              yield* Effect.ignore(writes.create({ model: 'snapshot', rows: [added], actor }))
            } else if (next._tag === 'rebase') {
              const branches = yield* Branches
              const open = yield* branches.list({ statuses: ['open', 'ready', 'in_review'], limit: 10, offset: 0 })
              for (const { id } of open.rows) yield* Effect.ignore(branches.sync({ id, commit: true, by: actor }))
            } else if (next._tag === 'land') {
              yield* branching(false)
              yield* sync
              yield* branching(true)
            }
            yield* sync
            const retaining = yield* sync
            unread += guests.length - parsed
            const waiting = yield* waits
            yield* forgetDigests
            expect(yield* sync).toEqual(retaining)
            expect(yield* waits).toEqual(waiting)
          }),
        )
      }
      fleet = []
      const branches = await system.runPromise(
        Effect.flatMap(Branches, (all) => all.list({ statuses: ['open', 'ready', 'in_review'], limit: 10, offset: 0 })),
      )
      for (const { id } of branches.rows)
        await system.runPromise(Effect.flatMap(Branches, (all) => all.close({ id, status: 'closed' })))
    }),
    { numRuns: histories, endOnFailure: true },
  )
  expect(unread).toBeGreaterThan(0)
})
