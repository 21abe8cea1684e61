import { roles } from '../access.ts'
import { branchKinds } from '../branch.ts'
import { changeActions } from '../change-log.ts'
import { backupTypes, protectionStates } from '../choices.ts'
import { drillOutcomes, drillStates } from '../protection/drill.ts'
import { findingKinds, findingStates, severities } from '../protection/findings/finding.ts'
import { runModes, runTriggers } from '../run.ts'
import { branchStatuses, runStatuses } from '../status.ts'
import { holdReasons } from '../sync/guard.ts'
import { heldStates } from '../sync/judge-deletions.ts'
import type { FilterField } from './lookups.ts'

/** The fields of a list of records that are no inventory, by which it is filtered and ordered. */
export type RecordFields = Readonly<Record<string, FilterField>>

const text: FilterField = { type: 'text' }
const time: FilterField = { type: 'datetime' }
const flag: FilterField = { type: 'boolean' }
const number: FilterField = { type: 'integer', min: 0, max: Number.MAX_SAFE_INTEGER }
const oneOf = (values: ReadonlyArray<string>): FilterField => ({
  type: 'choice',
  choices: values.map((value) => ({ value })),
})

/** Fields of runs. */
export const runFields = {
  id: number,
  status: oneOf(runStatuses),
  trigger: oneOf(runTriggers),
  mode: oneOf(runModes),
  user: text,
  created: time,
  started: time,
  completed: time,
  cancel_requested: flag,
} as const satisfies RecordFields

/** Fields of branches. */
export const branchFields = {
  id: number,
  schema_id: text,
  name: text,
  description: text,
  status: oneOf(branchStatuses),
  kind: oneOf(branchKinds),
  user: text,
  checked: time,
  created: time,
  last_updated: time,
  merged_time: time,
  merged_by: text,
  reverts: number,
  revision: number,
  approved_by: text,
  approved_time: time,
  conflict_count: number,
} as const satisfies RecordFields

/** Fields of the change log. */
export const changeFields = {
  id: number,
  time,
  user_name: text,
  request_id: { type: 'uuid' },
  run: number,
  branch: number,
  action: oneOf(changeActions),
  changed_object_id: number,
  object_repr: text,
} as const satisfies RecordFields

/** Fields of users. */
export const userFields = {
  id: number,
  username: text,
  first_name: text,
  last_name: text,
  email: text,
  is_active: flag,
  role: oneOf(roles),
  date_joined: time,
  last_login: time,
  has_password: flag,
} as const satisfies RecordFields

/** Fields of API tokens. */
export const tokenFields = {
  id: number,
  version: oneOf(['1', '2']),
  key: text,
  user: { type: 'reference', model: 'user' },
  description: text,
  created: time,
  expires: time,
  last_used: time,
  enabled: flag,
  write_enabled: flag,
} as const satisfies RecordFields

/** Fields of the changes of a branch. */
export const branchChangeFields = {
  object_id: number,
  object_repr: text,
  action: oneOf(changeActions),
} as const satisfies RecordFields

/** Fields of breaches. */
export const breachFields = {
  id: number,
  group: number,
  server: { type: 'reference', model: 'server' },
  datastore_name: text,
  namespace: text,
  backup_type: text,
  backup_id: text,
  objective: number,
  begin: time,
  end: time,
} as const satisfies RecordFields

/** Fields of rules about objectives. */
export const objectiveFields = {
  id: number,
  name: text,
  weight: number,
  server: text,
  datastore: text,
  namespace: text,
  backup_type: text,
  backup_id: text,
  tag: text,
  hours: number,
  comment: text,
  created: time,
  last_updated: time,
} as const satisfies RecordFields

/** Fields of the keys of clients. */
export const keyFields = {
  id: number,
  fingerprint: text,
  snapshot_count: number,
  group_count: number,
  only_group_count: number,
  holder: text,
  location: text,
  checked_at: time,
  comment: text,
  first_seen: time,
  last_seen: time,
  last_updated: time,
} as const satisfies RecordFields

/** The nights of which backups are counted. */
export const nightCount = 30

/** Fields of nights. */
export const nightFields = {
  night: text,
  server: { type: 'reference', model: 'server' },
  known: flag,
  ok: number,
  warning: number,
  error: number,
  other: number,
} as const satisfies RecordFields

/** Fields of drills. */
export const drillFields = {
  id: number,
  state: oneOf(drillStates),
  server: { type: 'reference', model: 'server' },
  datastore_name: text,
  namespace: text,
  backup_type: text,
  backup_id: text,
  backup_time: time,
  started: time,
  duration_seconds: number,
  outcome: oneOf(drillOutcomes),
  performed_by: text,
  note: text,
  created: time,
  last_updated: time,
} as const satisfies RecordFields

/** Fields of findings. */
export const findingFields = {
  id: number,
  kind: oneOf(findingKinds),
  severity: oneOf(severities),
  state: oneOf(findingStates),
  server: { type: 'reference', model: 'server' },
  object_id: number,
  title: text,
  parent: number,
  since: time,
  count: number,
  opened: time,
  last_seen: time,
  closed: time,
  closed_by: text,
  snoozed_until: time,
  snoozed_by: text,
} as const satisfies RecordFields

/** Fields of guests; `server` is the name of the origin's. */
export const guestFields = {
  id: number,
  backup_type: oneOf(backupTypes.map(({ value }) => value)),
  backup_id: text,
  server: text,
  datastore_name: text,
  namespace: text,
  comment: text,
  snapshot_count: number,
  last_backup: time,
  protection: oneOf(protectionStates.map(({ value }) => value)),
  protection_since: time,
  fresh_until: time,
  copies: number,
  servers: number,
  offsite_copies: number,
  offline_copies: number,
  lagging_copies: number,
  points_behind: number,
  lag_since: time,
  created: time,
} as const satisfies RecordFields

/** Fields of held deletions. */
export const heldFields = {
  id: number,
  state: oneOf(heldStates),
  reason: oneOf(holdReasons),
  revision: number,
  count: number,
  since: time,
  decided_by: text,
  decided_at: time,
} as const satisfies RecordFields
