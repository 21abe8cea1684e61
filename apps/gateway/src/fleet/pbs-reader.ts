import type {
  ListRow,
  PbsDatastoreConfig,
  PbsDatastoreListItem,
  PbsDatastoreUsage,
  PbsGcStatus,
  PbsGroup,
  PbsJob,
  PbsJobType,
  PbsSnapshot,
  PbsTask,
  PbsTime,
  PbsVersion,
} from '@netbox-pbs/pbs-client'
import type { Effect, Stream } from 'effect'
import type { Permissions } from '../permissions/permissions.ts'
import type { ScopeFailed } from '../scopes/scope-failed.ts'

type Read<A> = Effect.Effect<A, ScopeFailed>

/** A list with an `UnreadableRow` in the place of each row that cannot be read. */
type ReadRows<A> = Read<ReadonlyArray<ListRow<A>>>

/**
 * The reads of one PBS that the gateway makes. Each is one list, bounded except for that of the
 * tasks, and holds a permit of the server and of the whole gateway while it is made.
 */
export interface PbsReader {
  /** With the time until the answer in milliseconds; waiting for a permit does not count. */
  readonly version: Read<PbsVersion & { readonly latencyMs: number }>
  readonly time: Read<PbsTime>
  /** Includes paths on which an ACL entry withholds everything; they have no privileges. */
  readonly permissions: Read<Permissions>
  readonly datastores: ReadRows<PbsDatastoreListItem>
  readonly datastoreConfigs: ReadRows<PbsDatastoreConfig>
  readonly datastoreUsages: ReadRows<PbsDatastoreUsage>
  readonly gcStates: ReadRows<PbsGcStatus>
  /** Paths; the root is the empty one. */
  readonly namespaces: (datastore: string) => ReadRows<string>
  readonly groups: (datastore: string, namespace: string) => ReadRows<PbsGroup>
  /**
   * Of a whole namespace, or of one group in it. `counted` is the sum of `backup-count`; a list far
   * beyond it fails with `protocol`.
   */
  readonly snapshots: (
    datastore: string,
    namespace: string,
    group: { readonly type: string; readonly id: string } | undefined,
    counted: number,
  ) => ReadRows<PbsSnapshot>
  /**
   * Those that started at `since` (epoch seconds) or later. The list may have any length; its
   * permit is held until the stream ends.
   */
  readonly tasks: (since: number | undefined) => Stream.Stream<ListRow<PbsTask>, ScopeFailed>
  readonly jobs: (type: PbsJobType) => ReadRows<PbsJob>
}
