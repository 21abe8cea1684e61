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
  type EndFrame,
  encodeFrame,
  envelopeOf,
  type FailedCode,
  Frame,
  type FrameName,
  failedCodes,
  type GroupFrame,
  type GroupSnapshot,
  type JobFrame,
  type NamespaceFrame,
  RowFrame,
  rowTitle,
  type ServerFrame,
  type SyncEnvelope,
  type TaskFrame,
  type UnchangedFrame,
  type UnchangedGroupFrame,
} from './frame.ts'
export { StatusItem, StatusList, Summaries, SyncItem } from './summaries.ts'
export {
  apiKeyHeader,
  endpointPageLimit,
  maxFrameBytes,
  ndjsonMediaType,
  SyncRequest,
  SyncResource,
} from './sync-request.ts'
