import {
  branchesContract,
  changeSetsContract,
  endpointsContract,
  heldDeletionsContract,
  type InventoryUnderTest,
  inventoryWritesContract,
  queueContract,
  requestCostsContract,
  retentionTurnsContract,
  runsContract,
  schedulesContract,
  serverObservationsContract,
  settingsContract,
  sourceContract,
  workersContract,
} from '@netbox-pbs/testing'
import { Effect, Layer, Redacted } from 'effect'
import { beforeEach, describe } from 'vitest'
import { MemoryGateway } from './memory/endpoints.ts'
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

describe('RequestCosts in memory', () => {
  const { layer, world } = new MemorySystem()
  requestCostsContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, layer)),
    addServer: async (name) => world.insert('server', serverFacts(name, null), 'manual').id,
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

describe('Endpoints in memory', () => {
  const gateway = new MemoryGateway()
  endpointsContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, gateway.layer)),
    connection: (name) => ({
      ...{ name, host: 'a.example.org', port: 8007, token_id: 'reader@pbs!netbox', fingerprint: '' },
      ...{ token_secret: Redacted.make('a-secret'), verify_ssl: true, timeout_seconds: 30 },
    }),
    goDown: async () => {
      gateway.mode = 'down'
    },
  })
})

describe('Source in memory', () => {
  const system = new MemorySystem()
  system.fleet = [
    {
      ...{ name: 'pbs-a', endpointId: 1, jobs: { verify: ['v-1'] }, tasks: [{ start: 1_780_000_000 }] },
      datastores: { tank: { namespaces: { '': { 'vm/100': [1, 2], 'ct/7': [3] }, site: { 'vm/100': [4] } } } },
    },
    { name: 'pbs-b', endpointId: 2, datastores: {} },
  ]
  sourceContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, system.layer)),
    servers: ['pbs-a', 'pbs-b'],
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
