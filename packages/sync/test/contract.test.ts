import {
  branchesContract,
  changeSetsContract,
  heldDeletionsContract,
  type InventoryUnderTest,
  inventoryWritesContract,
  queueContract,
  retentionTurnsContract,
  runsContract,
  schedulesContract,
  serverObservationsContract,
  settingsContract,
  workersContract,
} from '@netbox-pbs/testing'
import { Effect, Layer } from 'effect'
import { beforeEach, describe } from 'vitest'
import { inventoryWritesLayer } from './memory/inventory-writes.ts'
import { MemoryQueue } from './memory/queue.ts'
import { MemoryRetention } from './memory/retention.ts'
import { runsLayer } from './memory/runs.ts'
import { MemorySystem } from './memory/system.ts'
import { MemoryWorkers } from './memory/workers.ts'
import { serverFacts, World } from './memory/world.ts'

// The fakes of this folder keep the contracts that PostgreSQL keeps: packages/store-postgres/test runs the same suites.

describe('Queue in memory', () => {
  const queue = new MemoryQueue()
  queue.delays = true
  beforeEach(() => queue.clear())
  queueContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, queue.layer)),
    tries: queue.tries,
    endDelays: async () => queue.endDelays(),
  })
})

describe('Retention in memory', () => {
  const { layer } = new MemoryRetention()
  retentionTurnsContract({ run: (effect) => Effect.runPromise(Effect.provide(effect, layer)) })
})

describe('Runs in memory', () => {
  const world = new World()
  const layer = runsLayer(new Map(), world)
  runsContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, layer)),
    addServer: async (name) => world.insert('server', serverFacts(name, null), 'manual').id,
    renameServer: async (id, name) =>
      Object.assign(world.rows.server.get(id) ?? {}, { facts: serverFacts(name, null) }),
    removeServer: async (id) => world.remove('server', id),
  })
})

describe('Schedules in memory', () => {
  const { layer, world } = new MemorySystem()
  schedulesContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, layer)),
    addServer: async ({ name, connected, timing }) => {
      const row = connected ? world.connect(name, 1) : world.insert('server', serverFacts(name, null), 'manual')
      return Object.assign(row, { timing }).id
    },
    changeServer: async (id, { name, timing }) => {
      const row = world.rows.server.get(id)
      Object.assign(row ?? {}, { facts: { ...row?.facts, name }, timing })
    },
    removeServer: async (id) => world.remove('server', id),
  })
})

describe('SettingsStore in memory', () => {
  const { layer, settings } = new MemorySystem()
  beforeEach(() => settings.reset())
  settingsContract({ run: (effect) => Effect.runPromise(Effect.provide(effect, layer)) })
})

describe('Workers in memory', () => {
  const workers = new MemoryWorkers()
  workersContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, workers.layer)),
    age: async (seconds) => workers.age(seconds),
  })
})

describe('ServerObservations in memory', () => {
  const { layer, world } = new MemorySystem()
  serverObservationsContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, layer)),
    addServer: async (name) => world.insert('server', serverFacts(name, null), 'manual').id,
  })
})

describe('the inventory in memory', () => {
  const system = new MemorySystem()
  const layer = Layer.merge(system.layer, inventoryWritesLayer(system.world, 0))
  const underTest: InventoryUnderTest = {
    run: (effect) => Effect.runPromise(Effect.provide(effect, layer)),
    setToReview: (scope) => void system.branches.reviewed.add(system.world.placeOf(scope)),
  }

  describe('ChangeSets', () => changeSetsContract(underTest))
  describe('Branches', () => branchesContract(underTest))
  describe('HeldDeletionsStore', () => heldDeletionsContract(underTest))
  describe('InventoryWrites', () => inventoryWritesContract(underTest))
})
