import {
  branchesContract,
  changeSetsContract,
  heldDeletionsContract,
  type InventoryUnderTest,
  inventoryWritesContract,
} from '@netbox-pbs/testing'
import { Layer, ManagedRuntime } from 'effect'
import { afterAll, describe } from 'vitest'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

// packages/sync/test runs the same suites on its fakes. One database serves all of them.

describe.each(engines)('the inventory on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const underTest: InventoryUnderTest = { run: (effect) => runtime.runPromise(effect) }
  afterAll(() => runtime.dispose())

  describe('ChangeSets', () => changeSetsContract(underTest))
  describe('Branches', () => branchesContract(underTest))
  describe('HeldDeletionsStore', () => heldDeletionsContract(underTest))
  describe('InventoryWrites', () => inventoryWritesContract(underTest))
})
