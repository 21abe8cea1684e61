export { normalizeFingerprint, type PbsConnection } from './connection.ts'
export { PbsGroup, PbsNamespace, PbsSnapshot, PbsSnapshotFile, PbsVerification } from './content-schemas.ts'
export {
  allowsReading,
  PbsDatastoreConfig,
  PbsDatastoreListItem,
  PbsDatastoreStatus,
  PbsDatastoreUsage,
  PbsGcNumbers,
  PbsGcStatus,
  type PbsMaintenance,
  parseBackendType,
  parseMaintenance,
} from './datastore-schemas.ts'
export type { WithUnsafeIntegers } from './decode-item.ts'
export {
  type PbsJob,
  type PbsJobType,
  PbsPruneJob,
  PbsSyncJob,
  PbsTapeJob,
  PbsTask,
  PbsVerifyJob,
} from './job-schemas.ts'
export { makePbsClient, type PbsClient, type PbsSnapshotQuery } from './pbs-client.ts'
export { type PbsError, type PbsFailure, type PbsFailureReason, PbsRequestFailed } from './pbs-error.ts'
export type { PbsDispatch, TransportOptions } from './pbs-transport.ts'
export { capabilitiesOf, compareReleases, type PbsCapabilities, type PbsRelease, parseRelease } from './pbs-version.ts'
export type { PbsProbe } from './probe.ts'
export { isReadable, type ListRow, UnreadableRow } from './read-list.ts'
export { CurrentMeter, type RequestMeter } from './request-meter.ts'
export { PbsAclEntry, PbsNodeStatus, PbsPermissions, PbsTime, PbsVersion } from './server-schemas.ts'
export { escapeWorkerId, formatUpid, type PbsUpid, parseUpid, unescapeWorkerId } from './upid.ts'
export type { PresentedCertificate } from './verified-socket.ts'
