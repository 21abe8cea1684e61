export {
  type ApiToken,
  type ApiTokenChange,
  type ApiTokenFilter,
  type ApiTokenFound,
  ApiTokens,
  type NewApiToken,
  TokenTaken,
} from './api-tokens.ts'
export {
  ApprovalNotAllowed,
  BranchInConflict,
  BranchNameTaken,
  BranchNotApproved,
  BranchNotFound,
  BranchNotMerged,
  BranchNotOpen,
  BranchOfRun,
  BranchScopeUnknown,
  BranchValueTaken,
} from './branch-errors.ts'
export {
  type BranchChangeFilter,
  Branches,
  type BranchFilter,
  type BranchInventory,
  type ConflictFilter,
  type MergeOutcome,
  type MergeRefused,
  type WaitingGroup,
} from './branches.ts'
export { Breaches } from './breaches.ts'
export {
  type Appended,
  ChangeSetClosed,
  ChangeSets,
  type DatastoreObservation,
  type GroupDigest,
  type Landing,
  type LandingRecord,
  type Observed,
  type ObservedModel,
  type RetainedGroups,
  ScopeInReview,
  ServerRenamed,
  type SightedModel,
  type Staged,
  WaitingChangesGone,
} from './change-sets.ts'
export { Changes } from './changes.ts'
export {
  type DefinitionFilter,
  DefinitionInUse,
  DefinitionNotFound,
  type DefinitionRemoval,
  DefinitionStore,
  DefinitionsTaken,
  type DefinitionUpdate,
} from './definition-store.ts'
export { type AttemptOutcome, Deliveries, type DeliveryFilter, type DueDelivery } from './deliveries.ts'
export { Drills } from './drills.ts'
export { type EncryptionKeyFilter, EncryptionKeys } from './encryption-keys.ts'
export { EndpointNameTaken, EndpointStore, GatewayKeys, SecretNeeded, type StoredEndpoint } from './endpoint-store.ts'
export {
  type Endpoint,
  type EndpointInput,
  EndpointNotFound,
  EndpointRejected,
  Endpoints,
  type EndpointTest,
  GatewayUnavailable,
} from './endpoints.ts'
export { type EvaluationCounts, FindingClosed, type FindingFilter, Findings } from './findings.ts'
export { Guests } from './guests.ts'
export { HeldDeletionsChanged, HeldDeletionsNotFound, HeldDeletionsStore } from './held-deletions.ts'
export { type IdentifiedUser, Identities, type Identity, UserNotActive } from './identities.ts'
export { Insights, type NightOutcomes } from './insights.ts'
export {
  Inventory,
  type KnownDigest,
  type KnownGroup,
  type KnownTask,
  type LightList,
  type NamespacePlace,
  type ScopeState,
  type ServerRow,
} from './inventory.ts'
export { InventoryLists, type RowInPart, type ServedPage, type ServedRow, type WholeList } from './inventory-lists.ts'
export {
  type EditValues,
  InventoryWrites,
  KeyTaken,
  RowNotFound,
  type RowRemoval,
  type RowUpdate,
  ServerGone,
  type WritableModel,
} from './inventory-writes.ts'
export { ObjectiveNameTaken, Objectives, TooManyObjectives } from './objectives.ts'
export { DatastoreUsage, ServerObservations } from './observations.ts'
export { type ClaimedJob, Queue, type SyncJob } from './queue.ts'
export { type DayCost, RequestCosts } from './request-costs.ts'
export { Retention } from './retention.ts'
export { type EndedJob, type ListedPage, mostUnopened, type NewRun, type Page, Runs } from './runs.ts'
export { type DueRun, type ScheduledServer, type ScheduleMark, Schedules } from './schedules.ts'
export { SecretBox, SecretUnreadable } from './secret-box.ts'
export { type Session, Sessions } from './sessions.ts'
export { GatewayKeyNeeded, SettingsStore } from './settings-store.ts'
export {
  type ServerContact,
  type ServerFailure,
  Source,
  type SourceCost,
  type SourceErrorCode,
  SourceFailed,
  type SourceFrame,
  type SourceGroup,
  type SourceRequest,
  type SourceServer,
} from './source.ts'
export { type ExpectedVersions, StoreFailed, statementLimit, VersionChanged } from './store-failed.ts'
export {
  LastAdmin,
  type NewUser,
  type User,
  type UserFilter,
  UsernameTaken,
  type UserRights,
  Users,
} from './users.ts'
export { visibleServers } from './visible-servers.ts'
export { EventNameTaken, EventRules, type NamedListRequest, WebhookNotFound, Webhooks } from './webhooks.ts'
export { Workers, type WorkersState } from './workers.ts'
