import { naturalKey } from '@netbox-pbs/core'
import { type EditValues, InventoryWrites, KeyTaken, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { serverFacts, type World } from './world.ts'

/** `InventoryWrites` of servers on a world. The update numbered `failsAt` fails, counted from 1. */
export const inventoryWritesLayer = (world: World, failsAt: number) => {
  let updates = 0
  const down = new StoreFailed({ reason: 'unavailable', operation: 'changing a server' })
  return Layer.succeed(InventoryWrites, {
    create: ({ model, rows, actor }) =>
      Effect.suspend(() => {
        world.actors.push(actor)
        const [values = {}] = rows
        if (world.byKey(model, naturalKey(model, values)) !== undefined) return new KeyTaken({ model, index: 0 })
        const row = world.insert(model, { ...serverFacts('', null), version: '', timezone: '', ...values }, 'manual')
        notePending(world, row.id)
        return Effect.succeed([row.id])
      }),
    update: ({ model, id, values, actor }) =>
      Effect.suspend((): Effect.Effect<boolean, KeyTaken | StoreFailed> => {
        world.actors.push(actor)
        if (++updates === failsAt) return down
        const row = world.rows[model].get(id)
        if (row === undefined) return Effect.succeed(false)
        const facts: EditValues = { ...(row.facts as EditValues), ...values } // border: a world's rows are untyped
        const other = world.byKey(model, naturalKey(model, facts))
        if (other !== undefined && other.id !== id) return new KeyTaken({ model, index: 0 })
        row.facts = facts
        notePending(world, id)
        return Effect.succeed(true)
      }),
    remove: ({ model, id, actor }) =>
      Effect.sync(() => {
        world.actors.push(actor)
        const found = world.rows[model].has(id)
        world.remove(model, id)
        return found
      }),
    pendingSince: ({ serverId }) =>
      Effect.sync(() => Option.fromNullable(world.rows.server.get(serverId)?.pendingSince)),
  })
}

/** The moment at which a fake row becomes pending: that of the tests' clock, which begins with the epoch. */
const began = '1970-01-01T00:00:00Z'

function notePending(world: World, id: number): void {
  const row = world.rows.server.get(id)
  if (row !== undefined) row.pendingSince = row.facts['endpoint_state'] === 'pending' ? began : null
}
