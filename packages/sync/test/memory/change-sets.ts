import { type Change, type ModelName, naturalKey, noRows, type RowCounts, type Scope, scopeKey } from '@netbox-pbs/core'
import {
  type Appended,
  BranchNotOpen,
  ChangeSetClosed,
  ChangeSets,
  type Landing,
  ScopeInReview,
  ServerRenamed,
  type Staged,
} from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import type { MemoryBranches } from './branches.ts'
import { deletable, landHeldSet } from './held-deletions.ts'
import { snapshotsOf } from './inventory.ts'
import type { RunRecord } from './run-record.ts'
import type { Row, World } from './world.ts'

interface Open {
  readonly runId: number
  readonly serverId: number | null
  readonly parts: Map<string, Array<Appended>>
}

/** What a test may see of the change sets. */
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
  const record = ({ runId, record }: Landing, counts: RowCounts) =>
    record === null
      ? Effect.void
      : Effect.map(record.result(counts), (result) => runs.get(runId)?.recordScope(record.serverId, result))
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
        const branch = branches.reviewing(landing.scope)
        const changing = (parts.get(key) ?? []).some(({ changes }) => changes.length > 0)
        if (branch !== undefined && changing) return yield* new ScopeInReview({ scope: landing.scope, branch })
        const counts = land(world, landing, parts.get(key) ?? [])
        parts.delete(key)
        log.landings.push(landing)
        yield* record(landing, counts)
        return counts
      }),
    stage: (staging) =>
      Effect.gen(function* (): Effect.fn.Return<Staged, BranchNotOpen | ChangeSetClosed | ServerRenamed> {
        const { parts, serverId } = yield* opened(staging.changeSet)
        yield* requireName(world, staging, serverId)
        const key = scopeKey(staging.scope)
        const staged = parts.get(key) ?? []
        parts.delete(key)
        const target = branches.covering(staging.scope, staging.branch)
        if (target === undefined) return yield* new BranchNotOpen({ id: staging.branch, status: 'closed' })
        sight(world, staging, staged)
        const changes = staged.flatMap((part) => part.changes)
        if (changes.length > 0 || target.scopes.has(key)) target.scopes.set(key, { landing: staging, parts: staged })
        const counts = changes.length === 0 ? noRows : countStaged(changes)
        if (changes.length === 0) land(world, staging, staged)
        yield* record(staging, counts)
        return { branch: changes.length === 0 ? null : target.branch.id, counts }
      }),
    dropScope: ({ changeSet, scope }) => Effect.sync(() => void log.open.get(changeSet)?.parts.delete(scopeKey(scope))),
    close: ({ changeSet }) => Effect.sync(() => void log.open.delete(changeSet)),
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

function countStaged(changes: ReadonlyArray<Change>): RowCounts {
  const of = (tag: Change['_tag']) => changes.filter(({ _tag }) => _tag === tag).length
  return { ...noRows, created: of('create'), updated: of('update'), deleted: of('delete') }
}

const modelOf: Record<Scope['resource'], ModelName> = {
  servers: 'server',
  datastores: 'datastore',
  namespaces: 'namespace',
  snapshots: 'snapshot',
  jobs: 'job',
  tasks: 'task',
}

function land(world: World, landing: Landing, parts: ReadonlyArray<Appended>): RowCounts {
  const { scope, at, visibility, listed, leftOut = 0 } = landing
  sight(world, landing, parts)
  const own = modelOf[scope.resource]
  const counts = { ...noRows }
  const deletions: Array<{ model: ModelName; id: number; waits: boolean }> = []
  const goes = deletable(world, landing)
  for (const part of parts) {
    for (const change of part.changes) {
      if (change._tag === 'delete') {
        if (leftOut > 0) continue
        const missing = world.rows[part.model].get(change.id)?.presence === 'missing'
        const waits = part.held !== undefined || !(missing ? goes.missing : goes.listed)
        deletions.push({ model: part.model, id: change.id, waits })
      } else if (apply(world, part.model, change) && part.model === own) {
        counts[change._tag === 'create' ? 'created' : 'updated']++
      }
    }
    for (const { key, values } of part.observed ?? []) world.observed.set(`${part.model} ${key}`, values)
  }
  let grown = 0
  const depth = (model: ModelName) => (model === 'snapshot' ? 0 : 1)
  for (const { model, id, waits } of deletions.sort((a, b) => depth(a.model) - depth(b.model))) {
    const row = world.rows[model].get(id)
    if (row === undefined) continue
    if (model === own) counts[waits ? 'held_back' : 'deleted']++
    if (model === own && waits && row.presence !== 'missing') grown++
    if (waits) hold(world, row, at)
    else release(world, model, row)
  }
  counts.held_back = landHeldSet(world, landing, counts.held_back, grown)
  for (const { key, digest, listed: rows } of parts.flatMap(({ digests }) => digests ?? [])) {
    const group = world.byKey('group', key)
    if (group === undefined) continue
    const waiting = snapshotsOf(world, group).some(({ presence }) => presence === 'missing')
    Object.assign(group, { digest: waiting || leftOut > 0 ? null : digest, listed: rows })
  }
  if (listed && leftOut === 0) {
    const before = world.scopes.get(scopeKey(scope))
    const kept = counts.held_back > 0 || world.inScope(scope).some(({ presence }) => presence === 'absent')
    world.scopes.set(scopeKey(scope), { visibility: kept ? (before?.visibility ?? null) : visibility, at, listed })
  }
  return counts
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

function apply(world: World, model: ModelName, change: Exclude<Change, { readonly _tag: 'delete' }>): boolean {
  if (change._tag === 'create') {
    // Another run may have made it since; then its facts are these already.
    if (world.byKey(model, naturalKey(model, change.values)) !== undefined) return false
    world.insert(model, change.values, 'listed')
    return true
  }
  const row = world.rows[model].get(change.id)
  if (row === undefined) return false
  row.facts = { ...row.facts, ...Object.fromEntries(change.fields.map(({ field, value }) => [field, value])) }
  if (change.appears) Object.assign(row, { presence: 'listed', missingSince: null })
  world.writes++
  return true
}

function hold(world: World, row: Row, at: string): void {
  if (row.presence === 'missing') return
  Object.assign(row, { presence: 'missing', missingSince: at, digest: null })
  const { server, datastore_name, namespace, backup_type, backup_id } = row.facts
  for (const group of world.where('group', { server, datastore_name, namespace, backup_type, backup_id }))
    group.digest = null
  world.writes++
}

/** Deletes a row; a group or namespace in which rows remain becomes one made by a user. */
function release(world: World, model: ModelName, row: Row): void {
  const left =
    model === 'group'
      ? snapshotsOf(world, row).length
      : model === 'namespace'
        ? world.where('group', {
            server: row.facts['server'],
            datastore_name: row.facts['datastore_name'],
            namespace: row.facts['path'],
          }).length
        : 0
  if (left > 0) Object.assign(row, { presence: 'manual', digest: null })
  else world.remove(model, row.id)
}
