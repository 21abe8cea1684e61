import { objectivesContract } from '@netbox-pbs/testing'
import { Layer, ManagedRuntime } from 'effect'
import { afterAll, describe } from 'vitest'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

describe.each(engines)('objectives on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(inventoryLayer.pipe(Layer.provide(migrated)))
  afterAll(() => runtime.dispose())

  describe('Objectives', () => objectivesContract({ run: (effect) => runtime.runPromise(effect) }))
})
