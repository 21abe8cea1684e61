import { isReadable, type ListRow, type PbsClient, type PbsRequestFailed } from '@netbox-pbs/pbs-client'
import { Chunk, Duration, Effect, type Scope, Stream } from 'effect'
import type { ScopeFailed } from '../frames/scope-failed.ts'
import { readsAcl } from '../permissions/permissions.ts'
import { type AclEntry, withWithheld } from '../permissions/withheld.ts'
import { scopeFailure } from '../translate/failure.ts'
import type { HungReads } from './hung-reads.ts'
import type { PbsReader } from './pbs-reader.ts'

/** A reader on a client, each read under `bounded`; `permit` is the same for a stream, until its scope closes. What `hung` remembers of this server outlives the client. */
export const clientReader = (
  client: PbsClient,
  bounded: <A>(read: Effect.Effect<A, ScopeFailed>) => Effect.Effect<A, ScopeFailed>,
  permit: Effect.Effect<void, never, Scope.Scope>,
  hung: HungReads,
): PbsReader => {
  const one = <A>(read: Effect.Effect<A, PbsRequestFailed>) => bounded(Effect.mapError(read, scopeFailure))
  const whole = <A>(rows: Stream.Stream<A, PbsRequestFailed>) =>
    one(Effect.map(Stream.runCollect(rows), Chunk.toReadonlyArray))
  return {
    version: one(
      Effect.map(Effect.timed(client.version()), ([took, version]) => ({
        ...version,
        latencyMs: Math.round(Duration.toMillis(took)),
      })),
    ),
    time: one(client.time()),
    permissions: Effect.flatMap(one(client.permissions()), (permissions) =>
      readsAcl(permissions)
        ? Effect.map(one(client.acl()), (entries) =>
            withWithheld(permissions, entries.flatMap(entryOf), client.connection.tokenId),
          )
        : Effect.succeed(permissions),
    ),
    datastores: hung.ask('/admin/datastore', one(client.datastores())),
    datastoreConfigs: hung.ask('/config/datastore', one(client.datastoreConfigs())),
    datastoreUsages: hung.ask('/status/datastore-usage', one(client.datastoreUsage())),
    gcStates: hung.ask('/admin/gc', one(client.gcStatuses())),
    namespaces: (datastore) =>
      hung.ask(
        `/admin/datastore/${datastore}/namespace`,
        Effect.map(whole(client.namespaces(datastore)), (rows) => rows.map((row) => (isReadable(row) ? row.ns : row))),
      ),
    groups: (datastore, namespace) => whole(client.groups(datastore, namespace)),
    snapshots: (store, ns, group, counted) =>
      whole(
        client.snapshots({
          store,
          ns,
          counted,
          ...(group === undefined ? {} : { backupType: group.type, backupId: group.id }),
        }),
      ),
    tasks: (since) => Stream.unwrapScoped(Effect.as(permit, Stream.mapError(client.tasks({ since }), scopeFailure))),
    jobs: (type) => {
      switch (type) {
        case 'verify':
          return one(client.verifyJobs())
        case 'prune':
          return one(client.pruneJobs())
        case 'sync':
          return one(client.syncJobs())
        case 'tape':
          return one(client.tapeJobs())
      }
    },
  }
}

/** An entry that cannot be read may concern the caller: on its path nothing is taken for granted. */
const entryOf = (row: ListRow<AclEntry>): ReadonlyArray<AclEntry> => {
  if (isReadable(row)) return [row]
  const path: unknown = typeof row.value === 'object' && row.value !== null ? Reflect.get(row.value, 'path') : undefined
  return typeof path === 'string' ? [{ path, ugid: '', ugid_type: 'group' }] : []
}
