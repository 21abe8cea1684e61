/** The rules of protection. The main entry exports all of them. */

export { type BreachChanges, type BreachTime, breachChanges, type KnownObjective } from './protection/breach.ts'
export type { Breach } from './protection/breach-record.ts'
export {
  type CalendarEvent,
  nextEvent,
  parseCalendarEvent,
  type Steps,
  type Values as CalendarValues,
} from './protection/calendar-event.ts'
export { type Forecast, forecastOf, mostDays } from './protection/capacity.ts'
export {
  type Drill,
  type DrillOutcome,
  type DrillState,
  type DrillValues,
  drillOutcomes,
  drillStates,
  proposeDrills,
  type ReaderTask,
} from './protection/drill.ts'
export type { SyncFacts } from './protection/findings/copy-findings.ts'
export {
  type DatastoreFacts,
  type ListFacts,
  listPatience,
  nearlyFullShare,
  schedulePatience,
} from './protection/findings/datastore-findings.ts'
export {
  type Cause,
  type FindingKind,
  type FindingModel,
  type FindingState,
  type FindingSubject,
  findingKey,
  findingKindRules,
  findingKinds,
  findingStates,
  type Judged,
  type Severity,
  severities,
} from './protection/findings/finding.ts'
export type { Finding } from './protection/findings/finding-record.ts'
export {
  badGroupStates,
  foldedGroups,
  type GroupCounts,
  type GroupFacts,
} from './protection/findings/group-findings.ts'
export type { JudgedJob } from './protection/findings/job-findings.ts'
export { type FleetFacts, judgeFleet } from './protection/findings/judge-fleet.ts'
export {
  objectGone,
  type ReconciledFindings,
  reconcileFindings,
  type StoredFinding,
} from './protection/findings/reconcile-findings.ts'
export type { PrivilegeFacts, ServerFacts } from './protection/findings/server-findings.ts'
export type { BranchFacts, HeldFacts, WorkerFacts } from './protection/findings/work-findings.ts'
export type { CopyLedger, Guest, GuestMember, NamedGroup, SnapshotCopy } from './protection/guest.ts'
export {
  type CopyCounts,
  type CopyEvidence,
  type CopyLag,
  type CopyLink,
  copyCounts,
  copyEvidence,
  copyLinks,
  type Family,
  type GuestCopy,
  type GuestGroup,
  type GuestGroups,
  guestsOf,
  type KeptGuest,
  type KeptGuests,
  keepGuests,
  pointTolerance,
} from './protection/guests.ts'
export {
  type FailedRuns,
  type JobFacts,
  type JobHealth,
  type JobRun,
  jobGraceSeconds,
  jobHealth,
  type MissedRuns,
  mostMissed,
  type RunOutcome,
} from './protection/job-health.ts'
export {
  mostObjectiveHours,
  mostObjectiveRules,
  type ObjectiveRuleValues,
  objectiveRuleOf,
  type StoredObjectiveRule,
} from './protection/objective-rule.ts'
export {
  clockTolerance,
  type FinishedBackup,
  type GroupStanding,
  type Protection,
  type ProtectionFacts,
  protectionAt,
  protectionOf,
  type Surroundings,
  standingOf,
} from './protection/protection-state.ts'
export {
  type GroupPlace,
  leads,
  type SyncJobFacts,
  type SyncRoute,
  selects,
  syncRoute,
} from './protection/sync-route.ts'
export {
  isOutdated,
  type VerificationKind,
  verificationDays,
  verificationKind,
} from './protection/verification-counts.ts'
