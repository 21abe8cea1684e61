import type { Runs, Schedules } from '@netbox-pbs/core/ports'
import { type OneByOne, schedulesContract, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe } from 'vitest'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

const actor = { user: 'ada', requestId: '00000000-0000-4000-8000-000000000001' }

describe.each(engines)('Schedules on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const edits = <A, E>(use: (writes: OneByOne) => Effect.Effect<A, E>) =>
    runtime.runPromise(Effect.flatMap(writesOneByOne, use))
  afterAll(() => runtime.dispose())

  schedulesContract({
    run: <A, E>(effect: Effect.Effect<A, E, Runs | Schedules>) => runtime.runPromise(effect),
    addServer: async ({ name, connected, timing }) => {
      const endpoint = connected
        ? { endpoint_id: 1, endpoint_state: 'connected' }
        : { endpoint_id: null, endpoint_state: 'none' }
      const row = { name, host: 'h', token_id: 'a@pbs!b', ...endpoint, ...timing }
      const [id = 0] = await edits((writes) => writes.create({ model: 'server', rows: [row], actor }))
      return id
    },
    changeServer: (id, { name, timing }) =>
      edits((writes) => writes.update({ model: 'server', id, values: { name, ...timing }, actor })),
    removeServer: (id) => edits((writes) => writes.remove({ model: 'server', id, actor })),
  })
})
