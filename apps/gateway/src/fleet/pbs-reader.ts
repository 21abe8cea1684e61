import type {
  ListRow,
  PbsDatastoreConfig,
  PbsDatastoreListItem,
  PbsDatastoreUsage,
  PbsGcStatus,
  PbsGroup,
  PbsSnapshot,
  PbsTask,
  PbsTime,
  PbsVersion,
  WithUnsafeIntegers,
} from '@netbox-pbs/pbs-client'
import type { Effect, Stream } from 'effect'
import type { ScopeFailed } from '../frames/scope-failed.ts'
import type { Permissions } from '../permissions/permissions.ts'
import type { ListedJob, ListedJobType } from '../translate/job.ts'

type Read<A> = Effect.Effect<A, ScopeFailed>

/** A list, in which an `UnreadableRow` stands for each row that cannot be understood. */
type ReadRows<A> = Read<ReadonlyArray<ListRow<A>>>

/** A row as it was read, with the names of its fields that could not be. */
export type Row<A> = WithUnsafeIntegers<A>

/** What the gateway reads of one PBS. Each read is one list, bounded but for that of the tasks, made while a permit of the server and of the whole gateway is held. */
export interface PbsReader {
  /** With the time it took to answer, in milliseconds, waiting for a permit not counted. */
  readonly version: Read<PbsVersion & { readonly latencyMs: number }>
  readonly time: Read<PbsTime>
  /** Paths where an ACL entry withholds everything are in it, without privileges. */
  readonly permissions: Read<Permissions>
  readonly datastores: ReadRows<PbsDatastoreListItem>
  readonly datastoreConfigs: ReadRows<PbsDatastoreConfig>
  readonly datastoreUsages: ReadRows<PbsDatastoreUsage>
  readonly gcStates: ReadRows<PbsGcStatus>
  /** Paths; the root is the empty one. */
  readonly namespaces: (datastore: string) => ReadRows<string>
  readonly groups: (datastore: string, namespace: string) => ReadRows<PbsGroup>
  /** Of a whole namespace, or of one group in it; `counted` is how many the groups count, and a list far beyond it fails with `protocol`. */
  readonly snapshots: (
    datastore: string,
    namespace: string,
    group: { readonly type: string; readonly id: string } | undefined,
    counted: number,
  ) => ReadRows<PbsSnapshot>
  /** Those that started at `since` (epoch seconds) or later. A list of any length: the permit is held until the stream ends. */
  readonly tasks: (since: number | undefined) => Stream.Stream<ListRow<PbsTask>, ScopeFailed>
  readonly jobs: (type: ListedJobType) => ReadRows<Row<ListedJob>>
}
