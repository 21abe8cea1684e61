import {
  branchesContract,
  changeSetsContract,
  heldDeletionsContract,
  type InventoryUnderTest,
  inventoryWritesContract,
  serverObservationsContract,
  writesOneByOne,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe } from 'vitest'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

// packages/sync/test runs the same suites on its fakes. One database serves all of them.

const actor = { user: 'ada', requestId: '00000000-0000-4000-8000-000000000001' }

describe.each(engines)('the inventory on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const underTest: InventoryUnderTest = { run: (effect) => runtime.runPromise(effect) }
  afterAll(() => runtime.dispose())

  describe('ChangeSets', () => changeSetsContract(underTest))
  describe('Branches', () => branchesContract(underTest))
  describe('HeldDeletionsStore', () => heldDeletionsContract(underTest))
  describe('InventoryWrites', () => inventoryWritesContract(underTest))
  describe('ServerObservations', () =>
    serverObservationsContract({
      run: (effect) => runtime.runPromise(effect),
      addServer: async (name) => {
        const row = { name, host: 'h', token_id: 'a@pbs!b' }
        const [id = 0] = await runtime.runPromise(
          Effect.flatMap(writesOneByOne, (writes) => writes.create({ model: 'server', rows: [row], actor })),
        )
        return id
      },
    }))
})
