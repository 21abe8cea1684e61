import { keyText, type ModelName, naturalKey } from '@netbox-pbs/core'
import {
  type EditValues,
  InventoryWrites,
  KeyTaken,
  RowNotFound,
  type RowRemoval,
  type RowUpdate,
  StoreFailed,
  VersionChanged,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Row, serverFacts, type World } from './world.ts'

/** `InventoryWrites` of servers and snapshots on a world. The update numbered `failsAt` fails, counted from 1. */
export const inventoryWritesLayer = (world: World, failsAt: number) => {
  let updates = 0
  const down = new StoreFailed({ reason: 'unavailable', operation: 'changing a server' })
  const versions = new WeakMap<Row['facts'], string>()
  /** Each write gives a row new facts, and these a version of their own. */
  const versionOf = ({ facts }: Row): string => {
    const version = versions.get(facts) ?? `2026-05-01T00:00:00.${String(++seen).padStart(6, '0')}Z`
    versions.set(facts, version)
    return version
  }
  let seen = 0
  /** The rows of a request, unless one is not there or has another version. */
  const expected = (
    model: ModelName,
    rows: ReadonlyArray<RowUpdate | RowRemoval>,
  ): Effect.Effect<ReadonlyArray<Row>, RowNotFound | VersionChanged> =>
    Effect.forEach(rows, ({ id, versions: requested }, index): Effect.Effect<Row, RowNotFound | VersionChanged> => {
      const row = world.rows[model].get(id)
      if (row === undefined) return new RowNotFound({ model, index })
      const version = versionOf(row)
      return requested === undefined || requested.includes(version)
        ? Effect.succeed(row)
        : new VersionChanged({ version, index })
    })
  return Layer.succeed(InventoryWrites, {
    create: ({ model, rows, actor }) =>
      Effect.suspend(() => {
        world.actors.push(actor)
        const texts = rows.map((values) => keyText(naturalKey(model, values)))
        const held = keysOf(world, model)
        const index = texts.findIndex((text, nth) => texts.indexOf(text) < nth || held.has(text))
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
    update: ({ model, rows, actor }) =>
      Effect.gen(function* () {
        world.actors.push(actor)
        if (++updates === failsAt) return yield* down
        const found = yield* expected(model, rows)
        const facts = found.map((row, nth): EditValues => ({ ...(row.facts as EditValues), ...rows[nth]?.values })) // border: a world's rows are untyped
        const index = takenKey(world, model, { found, facts })
        if (index >= 0) return yield* new KeyTaken({ model, index })
        for (const [nth, row] of found.entries()) {
          row.facts = facts[nth] ?? row.facts
          if (model === 'snapshot') touchGroupOf(world, row)
          world.notePending(row.id)
        }
      }),
    remove: ({ model, rows, actor }) =>
      Effect.gen(function* () {
        world.actors.push(actor)
        for (const row of yield* expected(model, rows)) {
          world.remove(model, row.id)
          if (model === 'snapshot') touchGroupOf(world, row)
        }
      }),
    pendingSince: ({ serverId }) =>
      Effect.sync(() => Option.fromNullable(world.rows.server.get(serverId)?.pendingSince)),
  })
}

/** The ids of a model's rows by their keys. */
const keysOf = (world: World, model: ModelName): ReadonlyMap<string, number> =>
  new Map(world.all(model).map(({ id, facts }) => [keyText(naturalKey(model, facts)), id]))

interface Found {
  readonly found: ReadonlyArray<Row>
  /** The values of the new rows. */
  readonly facts: ReadonlyArray<EditValues>
}

/** The place of the first row whose new key belongs to another row, also to an earlier one of the request; -1: none. */
function takenKey(world: World, model: ModelName, { found, facts }: Found): number {
  const textOf = (of: Row['facts']) => keyText(naturalKey(model, of))
  const texts = facts.map(textOf)
  const renamed = found.map((row, nth) => textOf(row.facts) !== texts[nth])
  const held = keysOf(world, model)
  const vacating = new Set(found.filter((_, nth) => renamed[nth]).map(({ id }) => id))
  return texts.findIndex((text, nth) => {
    if (!renamed[nth]) return false
    const holder = held.get(text)
    return (
      (holder !== undefined && !vacating.has(holder)) ||
      texts.some((one, at) => at < nth && renamed[at] && one === text)
    )
  })
}

/** A snapshot has a group, and an edit of it clears the group's digest. */
function touchGroupOf(world: World, { facts }: Row): void {
  const { server, datastore_name, namespace, backup_type, backup_id, owner } = facts
  const key = { server, datastore_name, namespace, backup_type, backup_id }
  const [group = world.insert('group', { ...key, owner, comment: '' }, 'manual')] = world.where('group', key)
  group.digest = null
}
