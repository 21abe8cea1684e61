import { type MainRow, naturalKey, type Scope } from '@netbox-pbs/core'
import {
  type Branches,
  type ChangeSets,
  type HeldDeletionsStore,
  Inventory,
  type InventoryWrites,
  type Landing,
  Runs,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import {
  change,
  collect,
  create,
  groupFacts,
  landOnce,
  may,
  type Part,
  remove,
  rootOf,
  serverFacts,
  serverIdOf,
  snapshotFacts,
} from './landing.ts'
import { writesOneByOne } from './one-by-one.ts'

/** An inventory under test, reached through its ports only. The suites name each server once, so they may share one. */
export interface InventoryUnderTest {
  readonly run: <A, E>(
    effect: Effect.Effect<A, E, Branches | ChangeSets | HeldDeletionsStore | Inventory | InventoryWrites | Runs>,
  ) => Promise<A>
  /** Sets a scope to review at once; left out: the suite reverts a merge in it. */
  readonly setToReview?: (scope: Scope) => void
}

/** The author of the edits. */
const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000001' }

/** A server that a run has listed; its id. */
export const newServer = (name: string) =>
  Effect.gen(function* () {
    yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
    return (yield* serverIdOf(name)) ?? 0
  })

/** A user renames a server. */
export const renameServer = (id: number, name: string) =>
  Effect.flatMap(writesOneByOne, (writes) => writes.update({ model: 'server', id, values: { name }, actor }))

/** A user deletes a server. */
export const removeServer = (id: number) =>
  Effect.flatMap(writesOneByOne, (writes) => writes.remove({ model: 'server', id, actor }))

/** A user adds a snapshot; its id. */
export const addSnapshot = (facts: ReturnType<typeof snapshotFacts>) =>
  Effect.flatMap(writesOneByOne, (writes) =>
    Effect.map(writes.create({ model: 'snapshot', rows: [facts], actor }), ([id = 0]) => id),
  )

/** A run of its own; its id. */
export const newRun = Effect.map(
  Effect.flatMap(Runs, (runs) =>
    runs.create({ resources: ['snapshots'], servers: null, trigger: 'manual', user: 'ada' }),
  ),
  ({ id }) => id,
)

/**
 * A server with one group of snapshots, one per day of May, listed under the visibility `wide`,
 * with its landings and reads.
 */
export const newScope = (name: string, days: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const server = yield* newServer(name)
    const scope = rootOf(name)
    const inventory = yield* Inventory
    const group = groupFacts(server, '100')
    const facts = (day: number) => snapshotFacts(server, '100', may(day))
    const land = (parts: ReadonlyArray<Part>, more: Partial<Landing> = {}) =>
      landOnce(scope, parts, { visibility: 'wide', ...more })
    const frame = (digest: string, listed: number): Part => ({
      model: 'group',
      changes: [],
      digests: [{ key: naturalKey('group', group), digest, listed, listDigest: `row of ${digest}` }],
    })
    yield* land([
      { model: 'snapshot', changes: days.map((day) => create('snapshot', facts(day))) },
      { ...frame('first', days.length), changes: [create('group', group)] },
    ])
    const groups = collect(inventory.groups({ serverId: server, datastore: 'tank', namespace: '' }))
    const snapshots = Effect.gen(function* () {
      const found = yield* collect(inventory.snapshots({ groupIds: (yield* groups).map(({ id }) => id) }))
      return found.toSorted((a, b) => (a.facts.backup_time < b.facts.backup_time ? -1 : 1))
    })
    const known = new Map((yield* snapshots).map((row): [string, MainRow<'snapshot'>] => [row.facts.backup_time, row]))
    const id = (day: number) => known.get(may(day))?.id ?? 0
    const groupId = (yield* groups)[0]?.id ?? 0
    return {
      ...{ server, scope, facts, group, groupId, id, land, frame, groups, snapshots },
      /** The creations of these days. */
      adds: (...added: ReadonlyArray<number>): Part => ({
        model: 'snapshot',
        changes: added.map((day) => create('snapshot', facts(day))),
      }),
      /** The deletions of these days. */
      lacks: (...removed: ReadonlyArray<number>): Part => ({
        model: 'snapshot',
        changes: removed.map((day) => remove('snapshot', id(day), facts(day))),
      }),
      /** The updates that list these days again. */
      again: (...back: ReadonlyArray<number>): Part => ({
        model: 'snapshot',
        changes: back.map((day) => change('snapshot', id(day), facts(day), {}, true)),
      }),
      groupRemoved: { model: 'group', changes: [remove('group', groupId, group)] } satisfies Part,
      /** Day and presence of each snapshot that is left. */
      left: Effect.map(snapshots, (rows) =>
        rows.map((row) => `${new Date(row.facts.backup_time).getUTCDate()} ${row.presence}`),
      ),
      state: inventory.scopeState(scope),
    }
  })
