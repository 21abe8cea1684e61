import { type HeldDeletions, heldFields, type Scope } from '@netbox-pbs/core'
import { HeldDeletionsChanged, HeldDeletionsNotFound, HeldDeletionsStore, type Landing } from '@netbox-pbs/core/ports'
import { queried } from '@netbox-pbs/testing/contract'
import { Effect, Layer, Option } from 'effect'
import type { HeldRecord, World } from './world.ts'

const missingIn = (world: World, scope: Scope) =>
  world.inScope(scope).filter(({ presence }) => presence === 'missing').length

/** Which deletions land: of rows listed until now, and of rows missing already. */
export function deletable(world: World, { scope, held, decided }: Landing): { listed: boolean; missing: boolean } {
  const set = world.held.get(world.placeOf(scope))
  const listed = held === null
  if (decided === undefined)
    return { listed, missing: listed && (set === undefined || (set.state === 'waiting' && !set.kept)) }
  return {
    listed,
    missing: decided.missing === 'deleted' && set?.state === 'confirmed' && set.revision === decided.revision,
  }
}

/** Makes, refreshes or ends a scope's held deletions; gives the rows that wait. */
export function landHeldSet(world: World, landing: Landing, rows: number, grown: number): number {
  const { scope, held, visibility, at, runId } = landing
  const key = world.placeOf(scope)
  const set = world.held.get(key)
  if (rows === 0) {
    if (missingIn(world, scope) === 0) world.held.delete(key)
    return 0
  }
  if (set === undefined) {
    const id = world.nextHeldId++
    const fresh = {
      id,
      scope,
      state: 'waiting',
      revision: 1,
      reason: held ?? 'children_held',
      visibility,
      kept: false,
    } as const
    const serverId = scope.resource === 'servers' ? null : world.serverId(scope.server)
    world.held.set(key, { ...fresh, serverId, since: at, runId, decided: null, runs: new Set([runId]) })
    return rows
  }
  if (set.state === 'dismissed' && grown === 0) return 0
  const carriedOut = set.state === 'confirmed' && landing.decided?.missing === 'deleted' && grown > 0
  const reason = set.kept && held === null && set.reason !== 'children_held' ? set.reason : (held ?? 'children_held')
  const wakes = grown > 0 || set.visibility !== visibility
  const revision = set.revision + (wakes || reason !== set.reason ? 1 : 0)
  const runs = new Set([...set.runs, runId])
  world.held.set(key, {
    ...set,
    ...{ revision, reason, visibility, runId, runs },
    ...(wakes ? { state: 'waiting', decided: null } : {}),
    ...(carriedOut ? { kept: false, since: at } : {}),
  })
  return rows
}

/** Held deletions by the fields of the list. */
const listed = ({ id, state, reason, revision, count, since, decided }: HeldDeletions) => ({
  ...{ id, state, reason, revision, count, since },
  ...{ decided_by: decided?.by ?? null, decided_at: decided?.at ?? null },
})

/** `HeldDeletionsStore` on a world. */
export const heldDeletionsLayer = (world: World) => {
  const all = (): ReadonlyArray<HeldRecord> =>
    [...world.held.values()].filter((record) => missingIn(world, scopeNow(world, record)) > 0)
  const find = (id: number, runId: number | null) =>
    all().find((record) => record.id === id && (runId === null || record.runs.has(runId)))
  const read = (record: HeldRecord): HeldDeletions => {
    const { serverId: _, runs: __, ...kept } = record
    const scope = scopeNow(world, record)
    return { ...kept, scope, count: missingIn(world, scope) }
  }
  return Layer.succeed(HeldDeletionsStore, {
    list: ({ runId, limit, offset, ...query }) =>
      Effect.sync(() => {
        const held = all().filter(({ state, runs }) => (runId === null ? state === 'waiting' : runs.has(runId)))
        const rows = queried(held.map(read), heldFields, listed, query)
        return { count: rows.length, rows: rows.slice(offset, offset + limit) }
      }),
    get: ({ id, runId }) => Effect.sync(() => Option.map(Option.fromNullable(find(id, runId)), read)),
    sample: ({ id, limit }) =>
      Effect.sync(() => {
        const record = find(id, null)
        const rows = record === undefined ? [] : world.inScope(scopeNow(world, record))
        return rows
          .filter(({ presence }) => presence === 'missing')
          .slice(0, limit)
          .map((row) => row.id)
      }),
    waiting: () =>
      Effect.sync(() =>
        all()
          .filter(({ state, kept, reason }) => state === 'waiting' && (kept || reason !== 'children_held'))
          .reduce((sum, record) => sum + read(record).count, 0),
      ),
    decide: ({ id, revision, state, user }) =>
      Effect.suspend((): Effect.Effect<HeldDeletions, HeldDeletionsNotFound | HeldDeletionsChanged> => {
        const record = find(id, null)
        if (record === undefined) return new HeldDeletionsNotFound({ id })
        const set = read(record)
        if (set.state === state) return new HeldDeletionsChanged({ reason: 'decided', set })
        if (revision !== null && revision !== set.revision)
          return new HeldDeletionsChanged({ reason: 'another_revision', set })
        const decided = { by: user, at: '2026-05-01T03:00:00Z', count: set.count }
        const after = { ...record, state, kept: set.kept || state === 'dismissed', decided }
        world.held.set(world.placeOf(set.scope), after)
        return Effect.succeed(read(after))
      }),
  })
}

/** The scope under the name that its server has now. */
const scopeNow = (world: World, { scope, serverId }: HeldRecord): Scope =>
  scope.resource === 'servers' || serverId === null
    ? scope
    : { ...scope, server: world.names.get(serverId) ?? scope.server }
