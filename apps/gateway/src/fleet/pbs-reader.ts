import type {
  PbsDatastoreConfig,
  PbsDatastoreListItem,
  PbsDatastoreUsage,
  PbsGcStatus,
  PbsGroup,
  PbsSnapshot,
  PbsTask,
  PbsTime,
  PbsVersion,
} from '@netbox-pbs/pbs-client'
import type { Effect, Stream } from 'effect'
import type { ScopeFailed } from '../frames/scope-failed.ts'
import type { Permissions } from '../permissions/permissions.ts'
import type { ListedJob, ListedJobType } from '../translate/job.ts'

type Read<A> = Effect.Effect<A, ScopeFailed>

/** A row as it was read, with the names of its fields that held integers beyond 2^53-1. */
export type Row<A> = A & { readonly unsafeIntegers: ReadonlyArray<string> }

/** What the gateway reads of one PBS. Each read is one list, bounded but for that of the tasks, made while a permit of the server and of the whole gateway is held. */
export interface PbsReader {
  /** With the time it took to answer, in milliseconds, waiting for a permit not counted. */
  readonly version: Read<PbsVersion & { readonly latencyMs: number }>
  readonly time: Read<PbsTime>
  /** Paths where an ACL entry withholds everything are in it, without privileges. */
  readonly permissions: Read<Permissions>
  readonly datastores: Read<ReadonlyArray<PbsDatastoreListItem>>
  readonly datastoreConfigs: Read<ReadonlyArray<PbsDatastoreConfig>>
  readonly datastoreUsages: Read<ReadonlyArray<PbsDatastoreUsage>>
  readonly gcStates: Read<ReadonlyArray<PbsGcStatus>>
  /** Paths; the root is the empty one. */
  readonly namespaces: (datastore: string) => Read<ReadonlyArray<string>>
  readonly groups: (datastore: string, namespace: string) => Read<ReadonlyArray<PbsGroup>>
  /** Of a whole namespace, or of one group in it. */
  readonly snapshots: (
    datastore: string,
    namespace: string,
    group?: { readonly type: string; readonly id: string },
  ) => Read<ReadonlyArray<PbsSnapshot>>
  /** Those that started at `since` (epoch seconds) or later. A list of any length: the permit is held until the stream ends. */
  readonly tasks: (since: number | undefined) => Stream.Stream<PbsTask, ScopeFailed>
  readonly jobs: (type: ListedJobType) => Read<ReadonlyArray<Row<ListedJob>>>
}
