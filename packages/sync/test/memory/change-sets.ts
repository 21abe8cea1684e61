import {
  type Change,
  keyText,
  type ModelName,
  type NaturalKey,
  naturalKey,
  noRows,
  type RowCounts,
  registry,
  type Scope,
  type ServerHealth,
  scopeKey,
  scopes,
} from '@netbox-pbs/core'
import {
  type Appended,
  BranchNotOpen,
  ChangeSetClosed,
  ChangeSets,
  type GroupDigest,
  type Landing,
  ScopeInReview,
  ServerRenamed,
  type Staged,
  WaitingChangesGone,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Stream } from 'effect'
import type { MemoryBranches, StagedScope } from './branches.ts'
import { deletable, landHeldSet } from './held-deletions.ts'
import { snapshotsOf } from './inventory.ts'
import type { RunRecord } from './run-record.ts'
import type { Row, World } from './world.ts'

interface Open {
  readonly runId: number
  readonly serverId: number | null
  readonly parts: Map<string, Array<Appended>>
}

/** The view of the change sets that tests may read. */
export interface ChangeSetLog {
  /** Landings, in order. */
  readonly landings: Array<Landing>
  /** Rows of the largest append. */
  largestAppend: number
  readonly open: Map<number, Open>
}

/** `ChangeSets` on a world, recording in these runs. */
export const changeSetsLayer = (
  world: World,
  log: ChangeSetLog,
  { branches, runs }: { readonly branches: MemoryBranches; readonly runs: ReadonlyMap<number, RunRecord> },
) => {
  branches.land = ({ landing, parts }) => void land(world, landing, parts)
  branches.waitingGroups = ({ serverId, datastore, namespace }) =>
    Stream.suspend(() => {
      const server = world.names.get(serverId) ?? ''
      const place = world.placeOf({ resource: 'snapshots', server, datastore, namespace })
      const groups = branches.covering(place, 0)?.scopes.get(place)?.groups ?? []
      return Stream.fromIterable(groups.filter((group) => group.main === mainOf(world, group.staged.key))).pipe(
        Stream.map(({ staged }) => staged),
      )
    })
  const record = ({ runId, record }: Landing, counts: RowCounts) =>
    Effect.sync(() => {
      if (record !== null) runs.get(runId)?.recordScope(record.serverId, record.result(counts))
    })
  let nextId = 1
  const opened = (changeSet: number) =>
    Effect.suspend(() => {
      const found = log.open.get(changeSet)
      return found === undefined ? new ChangeSetClosed({ changeSet }) : Effect.succeed(found)
    })
  return Layer.succeed(ChangeSets, {
    open: ({ runId, serverId }) =>
      Effect.sync(() => {
        for (const [id, other] of log.open)
          if (other.runId === runId && other.serverId === serverId) log.open.delete(id)
        const id = nextId++
        log.open.set(id, { runId, serverId, parts: new Map() })
        return id
      }),
    append: (part) =>
      Effect.map(opened(part.changeSet), ({ parts }) => {
        log.largestAppend = Math.max(log.largestAppend, part.changes.length)
        const key = scopeKey(part.scope)
        parts.set(key, [...(parts.get(key) ?? []), part as unknown as Appended]) // border: one list for all models
      }),
    land: (landing) =>
      Effect.gen(function* (): Effect.fn.Return<RowCounts, ChangeSetClosed | ScopeInReview | ServerRenamed> {
        const { parts, serverId } = yield* opened(landing.changeSet)
        yield* requireName(world, landing, serverId)
        const key = scopeKey(landing.scope)
        const branch = branches.reviewing(world.placeOf(landing.scope))
        const changing = (parts.get(key) ?? []).some(({ changes }) => changes.length > 0)
        if (branch !== undefined && changing) return yield* new ScopeInReview({ scope: landing.scope, branch })
        const counts = land(world, landing, parts.get(key) ?? [])
        parts.delete(key)
        log.landings.push(landing)
        yield* record(landing, counts)
        return counts
      }),
    stage: (staging) =>
      Effect.gen(function* (): Effect.fn.Return<
        Staged,
        BranchNotOpen | ChangeSetClosed | ServerRenamed | WaitingChangesGone
      > {
        const { parts, serverId } = yield* opened(staging.changeSet)
        yield* requireName(world, staging, serverId)
        const key = scopeKey(staging.scope)
        const staged = parts.get(key) ?? []
        parts.delete(key)
        const place = world.placeOf(staging.scope)
        const target = branches.covering(place, staging.branch)
        if (target === undefined)
          return yield* new BranchNotOpen({ id: staging.branch, status: branches.statusOf(staging.branch) })
        const retained = staged.flatMap((part) => ('retained' in part && part.retained ? [part.retained] : []))
        for (const { branch } of retained)
          if (branch !== target.branch.id) return yield* new WaitingChangesGone({ branch, scope: staging.scope })
        sight(world, staging, staged)
        observe(world, staged)
        const before = target.scopes.get(place)
        const keys = new Set(retained.flatMap((groups) => groups.keys).map(keyText))
        const kept = [
          ...(before?.parts ?? []).map((part) => changesOf(part, (change) => keys.has(keyText(groupKey(change.key))))),
          ...staged.map((part) => changesOf(part, (change) => stages(staging, change))),
        ]
        const any = kept.some(({ changes }) => changes.length > 0)
        const groups = (before?.groups ?? []).filter((group) => keys.has(keyText(group.staged.key)))
        if (any && (staging.leftOut ?? 0) === 0 && staging.remember !== false)
          groups.push(...waitingOf(world, { read: staged, kept, branch: target.branch.id }))
        if (any || target.scopes.has(place)) target.scopes.set(place, { landing: staging, parts: kept, groups })
        const counts = countStaged(kept, modelOf(staging.scope))
        if (!any) landScopeRow(world, staging, 0)
        yield* record(staging, counts)
        return { branch: any ? target.branch.id : null, counts }
      }),
    dropScope: ({ changeSet, scope }) => Effect.sync(() => void log.open.get(changeSet)?.parts.delete(scopeKey(scope))),
    close: ({ changeSet }) => Effect.sync(() => void log.open.delete(changeSet)),
  })
}

const changesOf = (part: Appended, which: (change: Change) => boolean): Appended => ({
  ...part,
  changes: part.changes.filter(which),
})

/** The key of the group that a group or a snapshot is of. */
const groupKey = (key: NaturalKey): NaturalKey => key.slice(0, 5) as unknown as NaturalKey // border: a key of either model begins so

/** Main's rows of a group as a text: equal texts, equal rows. */
function mainOf(world: World, key: NaturalKey): string {
  const group = world.byKey('group', key)
  return JSON.stringify([group, snapshotsOf(world, group)])
}

/** The groups whose frames some parts were read from, as a branch keeps them: none with rows that are missing. */
function waitingOf(
  world: World,
  {
    read,
    kept,
    branch,
  }: { readonly read: ReadonlyArray<Appended>; readonly kept: ReadonlyArray<Appended>; readonly branch: number },
): StagedScope['groups'] {
  return read.flatMap((part) => {
    const digests: ReadonlyArray<GroupDigest> = 'digests' in part ? (part.digests ?? []) : []
    return digests.flatMap(({ key, digest, listed }) => {
      const group = world.byKey('group', key)
      const presences = [group, ...snapshotsOf(world, group)].map((row) => row?.presence)
      if (group?.presence === 'manual' || presences.some((presence) => presence === 'missing' || presence === 'absent'))
        return []
      const own = kept.map((of) => changesOf(of, (change) => keyText(groupKey(change.key)) === keyText(key)))
      const { created, updated, deleted } = countStaged(own, 'snapshot')
      const changes = own.flatMap((of) => of.changes).length
      const staged = { branch, key, digest, listed, snapshots: { created, updated, deleted }, changes }
      return [{ staged, main: mainOf(world, key) }]
    })
  })
}

/** Fails unless the scope names the server that its change set was opened for as that is called now. */
const requireName = (world: World, { changeSet, scope }: Landing, serverId: number | null) =>
  Effect.suspend((): Effect.Effect<void, ChangeSetClosed | ServerRenamed> => {
    if (scope.resource === 'servers' || serverId === null) return Effect.void
    const name = world.rows.server.get(serverId)?.facts['name']
    if (name === undefined) return new ChangeSetClosed({ changeSet })
    if (name === scope.server) return Effect.void
    return new ServerRenamed({ serverId, before: scope.server, after: String(name) })
  })

/** Whether a change waits in a branch: rows that a list left out may be there, so it deletes none. */
const stages = ({ leftOut = 0 }: Landing, { _tag }: Change) => leftOut === 0 || _tag !== 'delete'

function countStaged(parts: ReadonlyArray<Appended>, own: ModelName): RowCounts {
  const changes = parts.flatMap((part) => (part.model === own ? part.changes : []))
  const of = (tag: Change['_tag']) => changes.filter(({ _tag }) => _tag === tag).length
  return { ...noRows, created: of('create'), updated: of('update'), deleted: of('delete') }
}

const modelOf = (scope: Scope): ModelName => scopes[scope.resource].lists

function land(world: World, landing: Landing, parts: ReadonlyArray<Appended>): RowCounts {
  const { scope, at, leftOut = 0 } = landing
  sight(world, landing, parts)
  const own = modelOf(scope)
  const counts = { ...noRows }
  const deletions: Array<{ model: ModelName; id: number; key: NaturalKey; waits: boolean }> = []
  const deleted = deletable(world, landing)
  const made = new Set<number>()
  for (const part of parts) {
    for (const change of part.changes) {
      if (change._tag === 'delete') {
        if (leftOut > 0) continue
        const missing = world.rows[part.model].get(change.id)?.presence === 'missing'
        const waits = part.held !== undefined || !(missing ? deleted.missing : deleted.listed)
        deletions.push({ model: part.model, id: change.id, key: change.key, waits })
      } else {
        const done = apply(world, part.model, change, made)
        if (done !== null && part.model === own) counts[done]++
      }
    }
  }
  observe(world, parts)
  let grown = 0
  const depth = (model: ModelName) => (model === 'snapshot' ? 0 : 1)
  for (const { model, id, key, waits } of deletions.sort((a, b) => depth(a.model) - depth(b.model))) {
    const row = world.rows[model].get(id)
    if (row === undefined || keyText(naturalKey(model, row.facts)) !== keyText(key) || !mayDelete(model, row)) continue
    const listed = row.presence !== 'missing'
    const done = waits ? hold(world, row, at) : release(world, model, row, at)
    if (model !== own) continue
    counts[done]++
    if (done === 'held_back' && listed) grown++
  }
  counts.held_back = landHeldSet(world, landing, counts.held_back, grown)
  for (const { key, digest, listed: rows, listDigest } of parts.flatMap(({ digests }) => digests ?? [])) {
    const group = world.byKey('group', key)
    if (group === undefined) continue
    const waiting = snapshotsOf(world, group).some(({ presence }) => presence === 'missing')
    Object.assign(group, { digest: waiting || leftOut > 0 ? null : digest, listed: rows, listDigest })
  }
  landScopeRow(world, landing, counts.held_back)
  return counts
}

/** Notes that a scope was listed completely. An emptied scope is removed once it has no rows left. */
function landScopeRow(
  world: World,
  { scope, at, fullSince = at, visibility, listed, leftOut = 0 }: Landing,
  waiting: number,
): void {
  if (leftOut > 0) return
  const place = world.placeOf(scope)
  const rows = world.inScope(scope).filter(({ presence }) => presence !== 'manual')
  if (!listed) {
    if (rows.length === 0) world.scopes.delete(place)
    return
  }
  const keeps = waiting > 0 || rows.some(({ presence }) => presence === 'absent')
  const before = world.scopes.get(place)
  const fullAt = fullSince ?? before?.fullAt ?? null
  world.scopes.set(place, { visibility: keeps ? (before?.visibility ?? null) : visibility, at, fullAt })
}

/** Stores observations. A server that no longer answers keeps its last contact. */
function observe(world: World, parts: ReadonlyArray<Appended>): void {
  for (const { model, observed = [] } of parts) {
    for (const { key, values } of observed as ReadonlyArray<{ key: NaturalKey; values: object }>) {
      const server = model === 'server' ? world.byKey('server', key) : undefined
      if (server === undefined) world.observed.set(`${model} ${keyText(key)}`, values)
      else {
        const health = values as ServerHealth
        const last_seen_at = health.last_seen_at ?? world.health.get(server.id)?.last_seen_at ?? null
        world.health.set(server.id, { ...health, last_seen_at })
      }
    }
  }
}

/** Notes which rows are absent, and which are listed again. */
function sight(world: World, { at, runId }: Landing, parts: ReadonlyArray<Appended>): void {
  for (const { model, sightings } of parts) {
    for (const id of sightings?.noted ?? []) {
      for (const row of withSnapshots(world, model, id)) {
        if (row.presence === 'listed') {
          Object.assign(row, { presence: 'absent', missingSince: at, absentRun: runId, digest: null })
          world.writes++
        }
      }
    }
    for (const id of sightings?.returned ?? []) {
      for (const row of withSnapshots(world, model, id)) {
        if (row.presence === 'absent') {
          Object.assign(row, { presence: 'listed', missingSince: null, absentRun: null })
          world.writes++
        }
      }
    }
  }
}

const withSnapshots = (world: World, model: ModelName, id: number): ReadonlyArray<Row> => {
  const row = world.rows[model].get(id)
  return row === undefined ? [] : [row, ...(model === 'group' ? snapshotsOf(world, row) : [])]
}

/** Makes or changes a row, and says which; null: neither. `made`: the rows that this landing has made. */
function apply(
  world: World,
  model: ModelName,
  change: Exclude<Change, { readonly _tag: 'delete' }>,
  made: Set<number>,
): 'created' | 'updated' | null {
  if (change._tag === 'create') {
    const found = world.byKey(model, change.key)
    const key: ReadonlyArray<unknown> = change.key
    const facts = { ...change.values, ...Object.fromEntries(registry[model].key.map((field, i) => [field, key[i]])) }
    if (found === undefined) {
      const row = world.insert(model, facts, 'listed')
      made.add(row.id)
      if (model === 'server') world.notePending(row.id)
      return 'created'
    }
    // Another run or a user may have made it since, or the same key is staged twice.
    const same = found.presence === 'listed' && sameFacts(found.facts, facts)
    Object.assign(found, { facts, presence: 'listed', missingSince: null })
    if (same || made.has(found.id)) return null
    world.writes++
    return 'updated'
  }
  const row = world.rows[model].get(change.id)
  if (row === undefined || keyText(naturalKey(model, row.facts)) !== keyText(change.key)) return null
  row.facts = { ...row.facts, ...Object.fromEntries(change.fields.map(({ field, value }) => [field, value])) }
  if (change.appears) Object.assign(row, { presence: 'listed', missingSince: null })
  if (model === 'server') world.notePending(row.id)
  world.writes++
  return 'updated'
}

const sameFacts = (a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(b).every(([name, value]) => JSON.stringify(a[name]) === JSON.stringify(value))

function hold(world: World, row: Row, at: string): 'held_back' {
  if (row.presence === 'missing') return 'held_back'
  Object.assign(row, { presence: 'missing', missingSince: at, digest: null })
  const { server, datastore_name, namespace, backup_type, backup_id } = row.facts
  for (const group of world.where('group', { server, datastore_name, namespace, backup_type, backup_id }))
    group.digest = null
  world.writes++
  return 'held_back'
}

/** Whether a sync may delete a row: one that a source has listed, or a server whose connection was never completed. */
const mayDelete = (model: ModelName, { presence, facts }: Row): boolean =>
  model === 'server' ? facts['endpoint_state'] === 'pending' && facts['endpoint_id'] === null : presence !== 'manual'

/** The rows directly below one. */
function below(world: World, model: ModelName, row: Row): ReadonlyArray<Row> {
  const { server, datastore_name, path, name } = row.facts
  if (model === 'group') return snapshotsOf(world, row)
  if (model === 'namespace') return world.where('group', { server, datastore_name, namespace: path })
  if (model !== 'datastore') return []
  return (['namespace', 'group'] as const).flatMap((child) => world.where(child, { server, datastore_name: name }))
}

/**
 * Deletes a row. A parent waits for rows below it that a source has listed; one with rows of a user
 * is left to the user.
 */
function release(world: World, model: ModelName, row: Row, at: string): 'deleted' | 'updated' | 'held_back' {
  const left = below(world, model, row)
  if (model !== 'group' && left.some(({ presence }) => presence !== 'manual')) return hold(world, row, at)
  if (left.length > 0 && model !== 'datastore') {
    Object.assign(row, { presence: 'manual', missingSince: null, digest: null })
    return 'updated'
  }
  world.remove(model, row.id)
  return 'deleted'
}
