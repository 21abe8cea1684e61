import { type Change, type Facts, formatTimestamp, groupKeyOf, keyText, naturalKey, type Scope } from '@netbox-pbs/core'
import { Branches, ChangeSets, Inventory, type StoreFailed } from '@netbox-pbs/core/ports'
import { Chunk, Effect, Stream } from 'effect'

/** A snapshot as main has it. */
interface Row {
  readonly id: number
  readonly server: string
  readonly facts: Facts<'snapshot'>
}

/** Changes of one scope, of the snapshots and of the groups that they make or empty. */
export interface ScopeChanges {
  readonly scope: Extract<Scope, { resource: 'snapshots' }>
  readonly serverId: number
  readonly snapshots: ReadonlyArray<Change<'snapshot'>>
  readonly groups: ReadonlyArray<Change<'group'>>
}

/** Every snapshot of main, server by server and namespace by namespace, with its scope. */
export const everySnapshot = (servers: ReadonlyArray<string>): Stream.Stream<Row, StoreFailed, Inventory> =>
  Stream.unwrap(
    Effect.map(Inventory, (inventory) =>
      inventory.servers().pipe(
        Stream.filter(({ facts }) => servers.includes(facts.name)),
        Stream.flatMap(({ id: serverId, facts: { name: server } }) =>
          inventory.namespaces({ serverId, datastore: 'tank' }).pipe(
            Stream.flatMap(({ facts: { path } }) =>
              inventory.groups({ serverId, datastore: 'tank', namespace: path }).pipe(
                Stream.grouped(100),
                Stream.flatMap((groups) => inventory.snapshots({ groupIds: [...groups].map(({ id }) => id) })),
              ),
            ),
            Stream.map(({ id, facts }) => ({ id, server, facts })),
          ),
        ),
      ),
    ),
  )

/**
 * Of every hundred changed snapshots seventy fail their verification and get a comment, twenty are
 * new and ten are gone. `share`: of all snapshots those that are touched.
 */
export function changeOf(nth: number, { id, facts }: Row): Change<'snapshot'> {
  const key = naturalKey('snapshot', facts)
  const kind = nth % 10
  if (kind === 9) return { _tag: 'delete', id, key }
  if (kind < 7) {
    const fields = [
      { field: 'comment', base: facts.comment, value: `changed ${nth}` },
      { field: 'verification_state', base: facts.verification_state, value: 'failed' },
    ]
    return { _tag: 'update', id, key, fields, appears: false, broken: [] }
  }
  const values = { ...facts, backup_time: formatTimestamp(Date.parse(facts.backup_time) + 43_200_000) }
  return { _tag: 'create', key: naturalKey('snapshot', values), values }
}

/** Deletions of every snapshot given. */
export const deletionOf = (_nth: number, { id, facts }: Row): Change<'snapshot'> => ({
  _tag: 'delete',
  id,
  key: naturalKey('snapshot', facts),
})

/** Changes by scope, of every `step`-th snapshot of some servers. Made outside the clock. */
export const changesOf = (
  servers: ReadonlyArray<string>,
  { step, change }: { readonly step: number; readonly change: typeof changeOf },
): Effect.Effect<ReadonlyArray<ScopeChanges>, StoreFailed, Inventory> =>
  Effect.gen(function* () {
    const scopes = new Map<
      string,
      Pick<ScopeChanges, 'scope' | 'serverId'> & { snapshots: Array<Change<'snapshot'>> }
    >()
    let seen = 0
    yield* Stream.runForEach(everySnapshot(servers), (row) =>
      Effect.sync(() => {
        const nth = seen++
        if (nth % step !== 0) return
        const scope = {
          resource: 'snapshots',
          server: row.server,
          datastore: 'tank',
          namespace: row.facts.namespace,
        } as const
        const key = `${row.server}/${row.facts.namespace}`
        const of = scopes.get(key) ?? { scope, serverId: row.facts.server, snapshots: [] }
        of.snapshots.push(change(nth / step, row))
        scopes.set(key, of)
      }),
    )
    return [...scopes.values()].map((of) => ({ ...of, groups: [] }))
  })

/** Rows of a change set that are appended at a time, as a sync does. */
const appended = 1000

/**
 * Stages changes into a branch, scope by scope, as a sync does: of groups that wait in it already
 * only that they stay. A group's digest is its key, as if its frame were always the same.
 */
export const stageAll = (
  branch: number,
  runId: number,
  changes: ReadonlyArray<ScopeChanges>,
): Effect.Effect<void, never, Branches | ChangeSets> =>
  Effect.gen(function* () {
    const changeSets = yield* ChangeSets
    for (const { scope, serverId, snapshots: all } of changes) {
      const { datastore, namespace } = scope
      const place = { serverId, datastore, namespace }
      const waiting = Chunk.toReadonlyArray(yield* Stream.runCollect((yield* Branches).waitingGroups(place)))
      const known = new Set(waiting.map(({ digest }) => digest))
      const snapshots = all.filter(({ key }) => !known.has(keyText(groupKeyOf(key))))
      const changeSet = yield* changeSets.open({ runId, serverId })
      const groups = new Map(snapshots.map(({ key }) => [keyText(groupKeyOf(key)), groupKeyOf(key)]))
      const digests = [...groups].map(([digest, key]) => ({ key, digest, listed: 0, listDigest: null }))
      const retained = { branch, keys: waiting.map(({ key }) => key) }
      yield* changeSets.append({ changeSet, scope, model: 'group', changes: [], digests, retained })
      for (let from = 0; from < snapshots.length; from += appended) {
        yield* changeSets.append({
          changeSet,
          scope,
          model: 'snapshot',
          changes: snapshots.slice(from, from + appended),
        })
      }
      const at = '2026-06-02T00:00:00Z'
      yield* changeSets.stage({
        changeSet,
        scope,
        runId,
        at,
        visibility: 'all',
        held: null,
        listed: true,
        record: null,
        branch,
      })
      yield* changeSets.close({ changeSet })
    }
  }).pipe(Effect.orDie)

/** Opens a branch of a sync. */
export const openBranch = (name: string, runId: number) =>
  Effect.orDie(
    Effect.flatMap(Branches, (branches) =>
      branches.create({ name, kind: 'sync', description: '', user: 'bench', runId, review: false }),
    ),
  )
