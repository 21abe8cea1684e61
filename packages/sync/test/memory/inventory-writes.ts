import { keyText, naturalKey } from '@netbox-pbs/core'
import { type EditValues, InventoryWrites, KeyTaken, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Row, serverFacts, type World } from './world.ts'

/** `InventoryWrites` of servers and snapshots on a world. The update numbered `failsAt` fails, counted from 1. */
export const inventoryWritesLayer = (world: World, failsAt: number) => {
  let updates = 0
  const down = new StoreFailed({ reason: 'unavailable', operation: 'changing a server' })
  return Layer.succeed(InventoryWrites, {
    create: ({ model, rows, actor }) =>
      Effect.suspend(() => {
        world.actors.push(actor)
        const keys = rows.map((values) => naturalKey(model, values))
        const texts = keys.map(keyText)
        const index = keys.findIndex(
          (key, nth) => texts.indexOf(keyText(key)) < nth || world.byKey(model, key) !== undefined,
        )
        if (index >= 0) return new KeyTaken({ model, index })
        const defaults = model === 'server' ? { ...serverFacts('', null), version: '', timezone: '' } : {}
        return Effect.succeed(
          rows.map((values) => {
            const row = world.insert(model, { ...defaults, ...values }, 'manual')
            world.notePending(row.id)
            if (model === 'snapshot') touchGroupOf(world, row)
            return row.id
          }),
        )
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
        if (model === 'snapshot') touchGroupOf(world, row)
        world.notePending(id)
        return Effect.succeed(true)
      }),
    remove: ({ model, id, actor }) =>
      Effect.sync(() => {
        world.actors.push(actor)
        const row = world.rows[model].get(id)
        if (row === undefined) return false
        world.remove(model, id)
        if (model === 'snapshot') touchGroupOf(world, row)
        return true
      }),
    pendingSince: ({ serverId }) =>
      Effect.sync(() => Option.fromNullable(world.rows.server.get(serverId)?.pendingSince)),
  })
}

/** A snapshot has a group, and an edit of it clears the group's digest. */
function touchGroupOf(world: World, { facts }: Row): void {
  const { server, datastore_name, namespace, backup_type, backup_id, owner } = facts
  const key = { server, datastore_name, namespace, backup_type, backup_id }
  const [group = world.insert('group', { ...key, owner, comment: '' }, 'manual')] = world.where('group', key)
  group.digest = null
}
