import {
  covers,
  type HeldDeletionsState,
  keyText,
  type MainRow,
  type ModelName,
  naturalKey,
  shortDigest,
} from '@netbox-pbs/core'
import { Inventory, type KnownDigest, type KnownTask, type ServerRow } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option, Stream } from 'effect'
import type { HeldRecord, Row, World } from './world.ts'

/** `Inventory` on a world. */
export const inventoryLayer = (world: World) =>
  Layer.succeed(Inventory, {
    servers: () =>
      stream(
        () => world.all('server'),
        (row) => serverRow(world, row),
      ),
    server: ({ id }) =>
      Effect.sync(() => Option.map(Option.fromNullable(world.rows.server.get(id)), (row) => serverRow(world, row))),
    serverName: ({ id }) => Effect.sync(() => Option.fromNullable(world.names.get(id))),
    scopeState: (scope) =>
      Effect.sync(() => {
        const rows = world.inScope(scope).filter(({ presence }) => presence !== 'manual')
        const state = world.scopes.get(world.placeOf(scope))
        return {
          visibility: state?.visibility ?? null,
          lastCompleteAt: state?.at ?? null,
          rows: rows.length,
          held: rows.filter(({ presence }) => presence === 'missing').length,
          set: heldState(world.held.get(world.placeOf(scope))),
        }
      }),
    datastores: ({ serverId }) => stream(() => world.where('datastore', { server: serverId }), main<'datastore'>),
    namespaces: ({ serverId, datastore }) =>
      stream(() => world.where('namespace', { server: serverId, datastore_name: datastore }), main<'namespace'>),
    jobs: ({ serverId, jobType }) =>
      stream(() => world.where('job', { server: serverId, job_type: jobType }), main<'job'>),
    groups: ({ serverId, datastore, namespace }) =>
      stream(
        () => world.where('group', { server: serverId, datastore_name: datastore, namespace }),
        (row) => ({ ...main<'group'>(row), digest: row.digest, listed: row.listed, listDigest: row.listDigest }),
      ),
    knownGroups: (request) => Stream.suspend(() => Stream.fromIterable(knownGroups(world, request))),
    snapshots: ({ groupIds }) =>
      stream(() => groupIds.flatMap((id) => snapshotsOf(world, world.rows.group.get(id))), main<'snapshot'>),
    tasks: ({ serverId, upids }) =>
      stream(
        () => upids.flatMap((upid) => world.where('task', { server: serverId, upid })),
        (row) => knownTask(world, row),
      ),
    runningTasks: ({ serverId }) => Stream.suspend(() => Stream.fromIterable(running(world, serverId))),
    taskMarks: ({ serverId }) =>
      Effect.sync(() => ({
        newestStart: starts(world.where('task', { server: serverId })).at(-1) ?? null,
        oldestRunning: starts(running(world, serverId))[0] ?? null,
      })),
    datastoresInUse: ({ serverId }) =>
      Stream.suspend(() => {
        const rows = [...world.where('namespace', { server: serverId }), ...world.where('group', { server: serverId })]
        return Stream.fromIterable(new Set(rows.map(({ facts }) => String(facts['datastore_name']))))
      }),
    namespacesInUse: ({ serverId, datastore }) =>
      Stream.suspend(() => {
        const groups = world.where('group', { server: serverId, datastore_name: datastore })
        return Stream.fromIterable(new Set(groups.map(({ facts }) => String(facts['namespace']))))
      }),
  })

/** The tasks of this fleet are backups, which change no snapshot that is there. */
function* knownGroups(
  world: World,
  { serverId: server, filter, light }: Parameters<Inventory['Type']['knownGroups']>[0],
): Generator<KnownDigest> {
  for (const { facts, presence, digest, listDigest } of world.where('group', { server })) {
    const datastore = String(facts['datastore_name'])
    const namespace = String(facts['namespace'])
    const scope = { resource: 'snapshots', server: world.names.get(server) ?? '', datastore, namespace } as const
    const fullAt = world.scopes.get(world.placeOf(scope))?.fullAt ?? null
    if (presence !== 'listed' || digest === null || !covers(filter, scope)) continue
    const isUnread =
      light !== null &&
      fullAt !== null &&
      Date.parse(fullAt) >= Date.parse(light.fullSince) &&
      !light.except.some((one) => one.datastore === datastore && one.namespace === namespace)
    yield isUnread && listDigest !== null
      ? { of: 'list', digest: listDigest }
      : { of: 'frame', digest: shortDigest(digest) }
  }
}

/** Of held deletions what the sync of their scope reads. */
const heldState = (record: HeldRecord | undefined): HeldDeletionsState | null => {
  if (record === undefined) return null
  const { state, revision, reason, visibility, kept } = record
  return { state, revision, reason, visibility, kept }
}

const serverRow = (world: World, row: Row): ServerRow => ({
  ...main<'server'>(row),
  pendingSince: row.pendingSince,
  timing: row.timing,
  health: world.healthOf(String(row.facts['name'])),
})

/** The snapshots of a group. */
export function snapshotsOf(world: World, group: Row | undefined): ReadonlyArray<Row> {
  if (group === undefined) return []
  const { server, datastore_name, namespace, backup_type, backup_id } = group.facts
  return world.where('snapshot', { server, datastore_name, namespace, backup_type, backup_id })
}

const knownTask = (world: World, row: Row): KnownTask =>
  ({
    ...main<'task'>(row),
    observed: world.observed.get(`task ${keyText(naturalKey('task', row.facts))}`),
  }) as KnownTask // border: a world's readings are untyped

const running = (world: World, serverId: number): ReadonlyArray<KnownTask> =>
  world
    .where('task', { server: serverId })
    .map((row) => knownTask(world, row))
    .filter(({ observed }) => observed.outcome === 'running')

const starts = (tasks: ReadonlyArray<{ readonly facts: object }>): ReadonlyArray<string> =>
  tasks.flatMap(({ facts }) => ('starttime' in facts ? [String(facts.starttime)] : [])).sort()

const stream = <A>(rows: () => ReadonlyArray<Row>, as: (row: Row) => A) =>
  Stream.suspend(() => Stream.fromIterable(rows().map(as)))

const main = <M extends ModelName>({ id, presence, absentRun, facts }: Row): MainRow<M> =>
  ({ id, presence, facts, ...(presence === 'absent' ? { absentRun } : {}) }) as MainRow<M> // border: a world's rows are untyped
