export {
  type Branch,
  type BranchChange,
  type BranchConflict,
  type BranchKind,
  branchKinds,
  branchName,
} from './branch.ts'
export {
  type Actor,
  type Author,
  bySystem,
  type ChangeAction,
  type ChangeFilter,
  changeActions,
  type LoggedChange,
  type LoggedModel,
  type LoggedValues,
  otherLogged,
} from './change-log.ts'
export {
  backupTypes,
  choiceFor,
  endpointStates,
  gcStatuses,
  jobStates,
  jobTypes,
  serverStatuses,
  tlsStates,
} from './choices.ts'
export { type Attempt, attemptAt, failuresBeforeBackoff } from './health/attempt.ts'
export {
  type Contact,
  concernsServer,
  neverContacted,
  nextHealth,
  type ServerHealth,
  statusAfter,
} from './health/server-health.ts'
export { type FailureScope, failureScope } from './health/trouble.ts'
export { naturalKey } from './key.ts'
export {
  type Conflict,
  type ConflictKind,
  conflictKinds,
  policyResolution,
  possibleChoices,
  type Resolution,
} from './merge/conflict.ts'
export { inverse, type Merge } from './merge/inverse.ts'
export { type Merged, mergeObject } from './merge/merge-object.ts'
export { type MergeStep, mergeSteps } from './merge/merge-order.ts'
export { type Override, overrideHolds, overrideOf } from './merge/override.ts'
export { refreshTouched, sameTouched, type Touched, type TouchedFields } from './merge/refresh.ts'
export { type Resolved, resolve, stillHolds } from './merge/resolve.ts'
export { seenRow } from './merge/seen-row.ts'
export type { FieldValues, ThreeSides } from './merge/three-sides.ts'
export { type EntryFields, touchRow } from './merge/touch-row.ts'
export type { Write } from './merge/write.ts'
export type { FieldErrors } from './query/field-errors.ts'
export type { Filter, ListQuery, OrderTerm, PageRequest } from './query/list-query.ts'
export { last, pageLimits, parsePage } from './query/page-request.ts'
export { type ListRequest, parseListQuery } from './query/parse-list-query.ts'
export { type Presentation, parsePresentation } from './query/presentation.ts'
export {
  type KnownRows,
  type ReferencedRows,
  type ResolvedListQuery,
  referencedRows,
  resolveListQuery,
} from './query/resolve-list-query.ts'
export { netboxLookups, unbuiltFilter, unbuiltLookup } from './query/unbuilt-filter.ts'
export { everyModelFields } from './registry/every-model.ts'
export type {
  BooleanField,
  Choice,
  ChoiceField,
  DatetimeField,
  Field,
  FieldClass,
  Fields,
  FieldValue,
  IntegerField,
  JsonField,
  JsonValue,
  Model,
  ModelName,
  ReferenceField,
  TextField,
} from './registry/field.ts'
export {
  branchedModels,
  type Facts,
  type FieldName,
  fieldsOfClass,
  modelNames,
  type Observations,
  type Registry,
  registry,
  registryVersion,
  type Values,
} from './registry/registry.ts'
export { type Retained, removedBefore, retentions } from './retention.ts'
export {
  addRows,
  noRows,
  type OutcomeCounts,
  type Reason,
  type RowCounts,
  type Run,
  type RunJob,
  type RunTrigger,
  runJobStates,
  runStatus,
  runTriggers,
  type ScopeResult,
  type StagedCounts,
  stagedChanges,
  type Warning,
} from './run.ts'
export {
  type Resource,
  resources,
  type Scope,
  type ScopeField,
  type ScopeFields,
  type ScopeOutcome,
  type ScopeResource,
  type ServerScope,
  scopeKey,
  scopeOf,
  scopeOutcomes,
  scopeResourceOf,
  scopeResources,
  scopes,
  scopeTitle,
} from './scope.ts'
export { type Coverage, coverageOf, covers, type ListedAbove, type ScopeFilter } from './scope-filter.ts'
export { fieldsThatNeedSecret, type SecretDestination, secretNeeded } from './secret-destination.ts'
export { defaultSettings, Settings } from './settings.ts'
export {
  type BranchAction,
  type BranchStatus,
  branchActions,
  branchAllows,
  branchStates,
  branchStatuses,
  type ClosedBranchStatus,
  openBranchStatuses,
  openRunStatuses,
  type RunAction,
  type RunStatus,
  runActions,
  runAllows,
  runStates,
  runStatuses,
} from './status.ts'
export { type Absence, absenceOf, type Seen } from './sync/absence.ts'
export type { Change, Create, Delete, FieldChange, Update } from './sync/change.ts'
export { type DiffInput, type DiffResult, diff, type MainRow, type Sightings, type SourceRow } from './sync/diff.ts'
export {
  type GuardInput,
  type GuardSettings,
  guard,
  type HoldReason,
  holdReasons,
  type Verdict,
  whyHeld,
} from './sync/guard.ts'
export { type HeldDeletions, type HeldDeletionsState, type HeldState, heldStates } from './sync/held-deletions.ts'
export { type DeletionsInput, deletes, type Judgement, judgeDeletions } from './sync/judge-deletions.ts'
export type { Presence } from './sync/presence.ts'
export { sameValue } from './sync/same-value.ts'
export { isTaskKept, type TaskMarks, type TaskWindow, taskFloor, taskWindow } from './sync/task-window.ts'
export { type TaskSubject, taskSubject } from './task-subject.ts'
export { formatTimestamp, parseTimestamp, withFraction } from './timestamp.ts'
export { followsSettings, ownTiming, type ServerTiming, type Timing } from './timing.ts'
export { mostUsagePoints, type UsagePoint, usageDays, usageSlotSeconds } from './usage.ts'
