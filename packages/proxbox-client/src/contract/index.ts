export {
  EndpointIn,
  EndpointOut,
  EndpointPage,
  EndpointPatch,
  EndpointTestIn,
  EndpointTestOut,
} from './endpoint.ts'
export {
  ErrorBody,
  endpointNotFoundDetail,
  nameTakenDetail,
  ValidationIssue,
  validationErrorBody,
} from './error-body.ts'
export {
  type DatastoreFrame,
  encodeFrame,
  type FailedCode,
  Frame,
  type FrameName,
  failedCodes,
  type GroupFrame,
  type GroupSnapshot,
  type JobFrame,
  type NamespaceFrame,
  RowFrame,
  type ServerFrame,
  type TaskFrame,
} from './frame.ts'
export { rowTitle } from './row-title.ts'
export { StatusItem, StatusList, Summaries, SyncItem } from './summaries.ts'
export { envelopeOf, type SyncEnvelope } from './sync-envelope.ts'
export {
  apiKeyHeader,
  endpointPageLimit,
  maxFrameBytes,
  ndjsonMediaType,
  SyncRequest,
  SyncResource,
} from './sync-request.ts'
