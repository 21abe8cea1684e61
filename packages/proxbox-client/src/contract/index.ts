export { encodeFrame } from './encode-frame.ts'
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
export { type FailedCode, failedCodes } from './failed-codes.ts'
export type {
  CompleteFrame,
  DatastoreFrame,
  EndFrame,
  FailedFrame,
  Frame,
  FrameName,
  GroupFrame,
  GroupSnapshot,
  JobFrame,
  NamespaceFrame,
  ScopeFrame,
  ServerFrame,
  TaskFrame,
  Unknown,
  WarningFrame,
} from './frame.ts'
export { frameSchema, isFrameName } from './frame-schemas.ts'
export { apiKeyHeader, endpointPageLimit, maxFrameBytes, ndjsonMediaType } from './media.ts'
export { rowTitle } from './row-title.ts'
export { scopeOf } from './scope-fields.ts'
export { StatusItem, StatusList, Summaries, SyncItem } from './summaries.ts'
export { envelopeOf, type SyncEnvelope } from './sync-envelope.ts'
export { SyncRequest, SyncResource } from './sync-request.ts'
