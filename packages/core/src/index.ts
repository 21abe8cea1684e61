export { passwordLength, type Role, roleAllows, roles } from './access.ts'
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
  maxMessageLength,
  otherLogged,
} from './change-log.ts'
export {
  backupTypes,
  choiceFor,
  endpointStates,
  forecastKinds,
  gcStatuses,
  jobHealthStates,
  jobStates,
  jobTypes,
  protectionStates,
  serverStatuses,
  tlsStates,
  verificationPlaces,
} from './choices.ts'
export {
  type Attached,
  type AttachedValues,
  definitionPage,
  definitionsPath,
  definitionUrl,
  needsDefinitions,
  noDefinitions,
  servedCustomFields,
  tagsOf,
  withLabel,
} from './definitions/attached.ts'
export {
  type ChoicePair,
  type ChoiceSet,
  type CustomField,
  type CustomFieldType,
  customFieldTypes,
  type DefinitionKind,
  type DefinitionModel,
  type Definitions,
  definitionKinds,
  definitionListFields,
  definitionModels,
  type FilterLogic,
  fieldTitle,
  type ModelField,
  type Tag,
} from './definitions/definition.ts'
export { appliedEdits, hasOperatorEdits, operatorEdits } from './definitions/operator-edits.ts'
export type { EncryptionKey, EncryptionKeyNotes } from './encryption-key.ts'
export {
  type ConditionOperator,
  type ConditionSet,
  conditionOperators,
  type ReadConditions,
  readConditions,
  satisfies,
} from './events/conditions.ts'
export {
  type Delivery,
  type DeliveryAction,
  type DeliveryDetail,
  type DeliveryState,
  deliveryAllows,
  deliveryStateNames,
  deliveryStates,
  keptResponse,
  mostAttempts,
  mostOpenDeliveries,
  pauseAfter,
} from './events/delivery.ts'
export { type EventRuleMatch, isAbout, type RaisedEvent, ruleErrors } from './events/event-rule.ts'
export {
  branchType,
  type EventType,
  eventObjectTypes,
  eventOfAction,
  eventTypeRules,
  eventTypes,
  findingType,
  heldType,
  modelOfType,
  runType,
  unbuiltEventTypes,
  unbuiltObjectTypes,
} from './events/event-types.ts'
export { maxPayloadBytes, payloadOf, templateError } from './events/payload.ts'
export { coalesced, valuesAfter } from './events/rebuild-row.ts'
export {
  type EventRule,
  type EventRuleValues,
  readHeaders,
  type Webhook,
  type WebhookMethod,
  type WebhookValues,
  webhookMethods,
} from './events/webhook.ts'
export { afterFailure, type FailedLogins, type LoginLimit, loginLimits, loginWait } from './failed-logins.ts'
export { type GroupRole, parseGroupRoles, roleOfGroups } from './group-roles.ts'
export {
  type Attempt,
  attemptAt,
  type Contact,
  clockDiffers,
  concernsServer,
  type FailureScope,
  failureScope,
  failuresBeforeBackoff,
  neverContacted,
  nextHealth,
  type ServerHealth,
  statusAfter,
} from './health/server-health.ts'
export { groupKeyOf, keyText, type NaturalKey, naturalKey } from './key.ts'
export {
  type EntryFields,
  refreshTouched,
  sameTouched,
  seenRow,
  type Touched,
  type TouchedFields,
  touchRow,
} from './merge/branch-entry.ts'
export {
  type Conflict,
  type ConflictKind,
  conflictKinds,
  policyResolution,
  possibleChoices,
  type Resolution,
} from './merge/conflict.ts'
export {
  type FieldValues,
  inverse,
  type Merge,
  type Merged,
  mergeObject,
  type ThreeSides,
  type Write,
} from './merge/merge-object.ts'
export { type MergeStep, mergeSteps } from './merge/merge-order.ts'
export { type Override, overrideHolds, overrideOf, type Resolved, resolve, stillHolds } from './merge/resolve.ts'
export { fitsGlob } from './protection/glob.ts'
export {
  type Objective,
  type ObjectiveRule,
  type ObjectiveSubject,
  objectiveOf,
  rhythmOf,
} from './protection/objective.ts'
export { type TimeZone, timeZone } from './protection/time-zone.ts'
export * from './protection.ts'
export {
  isAttachedParameter,
  type ListDefinitions,
  type NamedDefinitions,
  namedDefinitions,
  noListDefinitions,
} from './query/attached-filters.ts'
export { maxValues, type ParsedFilter, parseFilter, type ReferenceLookup } from './query/filter-values.ts'
export {
  type CustomComparison,
  type FieldErrors,
  type Filter,
  type ListQuery,
  type Lookup,
  type OrderTerm,
  type PageRequest,
  type RecordPage,
  type RecordQuery,
  requestFilters,
} from './query/list-query.ts'
export { type FilterField, splitParameter, suffixesOf } from './query/lookups.ts'
export { compareInModelOrder, type OrderedRow } from './query/model-order.ts'
export {
  last,
  type Presentation,
  pageLimits,
  parseOrdering,
  parsePage,
  parsePresentation,
} from './query/page-request.ts'
export {
  type KnownRows,
  type ListRequest,
  listFields,
  type PatternFaults,
  parseListQuery,
  patternErrors,
  patternsOf,
  type ReferencedRows,
  type ResolvedListQuery,
  referencedRows,
  resolveListQuery,
  resolveReferences,
  type SentPattern,
  sentPatterns,
} from './query/parse-list-query.ts'
export {
  branchChangeFields,
  branchFields,
  breachFields,
  changeFields,
  drillFields,
  findingFields,
  guestFields,
  heldFields,
  keyFields,
  nightCount,
  nightFields,
  objectiveFields,
  type RecordFields,
  runFields,
  tokenFields,
  userFields,
} from './query/record-fields.ts'
export { unbuiltFilter } from './query/unbuilt-filter.ts'
export {
  type BooleanField,
  type Choice,
  type ChoiceField,
  type DatetimeField,
  everyModelFields,
  type Field,
  type FieldClass,
  type Fields,
  type FieldValue,
  type IntegerField,
  type JsonField,
  type JsonValue,
  type Model,
  type ModelName,
  type ReferenceField,
  sameValue,
  type TextField,
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
export { addCosts, noCost, type RequestCost } from './request-cost.ts'
export { type Retained, removedBefore, retentions } from './retention.ts'
export {
  addRows,
  noRows,
  type OutcomeCounts,
  privilegesMissing,
  type Reason,
  type RowCounts,
  type Run,
  type RunJob,
  type RunMode,
  type RunTrigger,
  runJobStates,
  runModes,
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
export {
  apiRoot,
  choice,
  columnsRead,
  display,
  listPath,
  pageRoot,
  pageUrl,
  type Row,
  type RowForm,
  rowServer,
  rowUrl,
  rowWriter,
  servedNames,
  serveRow,
  shownFields,
} from './served-row.ts'
export type { Settings } from './settings.ts'
export { areSleepHours, asleepUntil } from './sleep-hours.ts'
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
export type { Change, Create, Delete, FieldChange, Presence, Update } from './sync/diff.ts'
export {
  type Absence,
  absenceOf,
  type DiffInput,
  type DiffResult,
  diff,
  type MainRow,
  type Seen,
  type Sightings,
  type SourceRow,
  type SourceRows,
} from './sync/diff.ts'
export {
  type GuardInput,
  type GuardSettings,
  guard,
  type HoldReason,
  holdReasons,
  type Verdict,
  whyHeld,
} from './sync/guard.ts'
export {
  type DeletionsInput,
  deletes,
  type HeldDeletions,
  type HeldDeletionsState,
  type HeldState,
  heldStates,
  type Judgement,
  judgeDeletions,
} from './sync/judge-deletions.ts'
export { fullSince, harmlessTasks, mostKnownGroups, shortDigest, taskToleranceSeconds } from './sync/light-list.ts'
export { destinationOf, type GroupTimes, movedMessage, takenOver } from './sync/moved-group.ts'
export { isTaskKept, type TaskMarks, type TaskWindow, taskFloor, taskWindow } from './sync/task-window.ts'
export { type TaskSubject, taskSubject } from './task-subject.ts'
export { formatDay, formatTimestamp, parseTimestamp, withFraction } from './timestamp.ts'
export { followsSettings, ownTiming, type ServerTiming, type Timing } from './timing.ts'
export { mostUsagePoints, sizeFields, type UsagePoint, usageDays, usageSlotSeconds } from './usage.ts'
export { type KnownNodes, verificationPlace, verifiedAt, verifyingWorkers } from './verification-place.ts'
