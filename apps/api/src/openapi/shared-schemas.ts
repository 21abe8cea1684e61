import {
  branchKinds,
  branchStatuses,
  changeActions,
  conflictKinds,
  heldStates,
  holdReasons,
  modelNames,
  registry,
  resources,
  runJobStates,
  runStatuses,
  runTriggers,
  scopeOutcomes,
} from '@netbox-pbs/core'
import { loggedObjectTypes } from '../rest/logged-types.ts'
import { envelopeSchema } from './model-schemas.ts'
import { ref } from './responses.ts'

const text = { type: 'string' }
const integer = { type: 'integer' }
const flag = { type: 'boolean' }
const datetime = { type: 'string', format: 'date-time' }
const uri = { type: 'string', format: 'uri' }
const orNull = (schema: { readonly type: string }) => ({ ...schema, type: [schema.type, 'null'] })
const choice = (values: ReadonlyArray<string>) => object({ value: { ...text, enum: values }, label: text })
const listOf = (items: object) => ({ type: 'array', items })

function object(properties: Readonly<Record<string, object>>, optional: ReadonlyArray<string> = []): object {
  return { type: 'object', required: Object.keys(properties).filter((name) => !optional.includes(name)), properties }
}

const token = {
  id: integer,
  url: uri,
  display: text,
  version: integer,
  key: text,
  user: object({ id: integer, url: uri, display: text, username: text }),
  description: text,
  created: datetime,
  expires: orNull(datetime),
  last_used: orNull(datetime),
  enabled: flag,
  write_enabled: flag,
}

const rows = object({ created: integer, updated: integer, deleted: integer, unchanged: integer, held_back: integer })

const run = {
  id: integer,
  url: uri,
  display_url: uri,
  display: text,
  status: choice(runStatuses),
  trigger: choice(runTriggers),
  user: text,
  resources: listOf({ ...text, enum: resources }),
  servers: { type: ['array', 'null'], items: text },
  scope_filter: {
    ...object({ datastores: listOf(text), namespaces: listOf(text), job_types: listOf(text) }, [
      'datastores',
      'namespaces',
      'job_types',
    ]),
    type: ['object', 'null'],
    description: 'Which scopes of its servers the run covers; null: all.',
  },
  created: datetime,
  started: orNull(datetime),
  completed: orNull(datetime),
  duration_seconds: { type: ['number', 'null'] },
  rows_read: integer,
  counts: { ...rows, description: 'Changes that landed in main, directly or through a merged branch.' },
  staged: {
    ...object({ created: integer, updated: integer, deleted: integer }),
    description: 'Changes that wait in a branch and are not in main yet.',
  },
  outcomes: object(Object.fromEntries(scopeOutcomes.map((outcome) => [outcome, integer]))),
  error: text,
  cancel_requested: flag,
  scopes_url: uri,
  jobs_url: uri,
  held_url: uri,
}

const scope = object({
  display: text,
  scope: { type: 'object', additionalProperties: text },
  outcome: choice(scopeOutcomes),
  reason: { ...object({ code: text, message: text }), type: ['object', 'null'] },
  counts: rows,
  started: datetime,
  ended: datetime,
})

const job = object({
  display: text,
  server: { ...orNull(text), description: 'Null: the gateway.' },
  state: choice(runJobStates),
  tries: integer,
  error: { ...text, description: 'Error of the last attempt.' },
  rows_read: integer,
})

const held = object({
  id: integer,
  url: uri,
  display: text,
  scope: { type: 'object', additionalProperties: text },
  state: choice(heldStates),
  reason: object({ code: { ...text, enum: holdReasons }, message: text }),
  revision: {
    ...integer,
    description:
      'Rises when a deletion is added and when the reason or the visibility changes. A decision may name the revision it was taken on.',
  },
  count: integer,
  since: datetime,
  samples: listOf(object({ id: integer, url: uri, display_url: uri, display: text, missing_since: orNull(datetime) })),
  run: object({ id: integer, url: uri, display: text }),
  decided_by: orNull(text),
  decided_at: orNull(datetime),
})

const change = {
  id: integer,
  url: uri,
  display: text,
  time: datetime,
  user_name: text,
  request_id: { type: ['string', 'null'], format: 'uuid' },
  run: { ...object({ id: integer, url: uri, display: text }), type: ['object', 'null'] },
  branch: {
    ...object({ id: integer, url: uri, display: text }),
    type: ['object', 'null'],
    description: 'The branch whose merge landed the change.',
  },
  action: choice(changeActions),
  changed_object_type: { ...text, enum: [...loggedObjectTypes] },
  changed_object_id: {
    type: ['integer', 'null'],
    description: 'Null: the entry summarizes the rows that a run created in one scope.',
  },
  object_repr: text,
  prechange_data: { type: 'object' },
  postchange_data: { type: 'object' },
  counts: {
    type: ['object', 'null'],
    description: 'Number of further rows that the entry covers, by model.',
    properties: Object.fromEntries(modelNames.map((model) => [model, integer])),
  },
}

const objectType = { ...text, enum: modelNames.map((model) => registry[model].objectType) }

const branch = {
  id: integer,
  url: uri,
  display_url: uri,
  display: text,
  schema_id: { ...text, description: 'Identifies the branch in `X-NetBox-Branch` and `_branch`.' },
  name: text,
  description: text,
  status: choice(branchStatuses),
  kind: choice(branchKinds),
  user: text,
  run: { ...object({ id: integer, url: uri, display: text }), type: ['object', 'null'] },
  change_count: integer,
  conflict_count: { ...integer, description: 'Unresolved conflicts at the last comparison with main.' },
  checked: orNull(datetime),
  created: datetime,
  last_updated: datetime,
  merged_time: orNull(datetime),
  merged_by: text,
  reverts: {
    ...object({ id: integer, url: uri, display: text }),
    type: ['object', 'null'],
    description: 'The merged branch that this branch reverts.',
  },
  review: { ...flag, description: 'Requires manual approval even without conflicts.' },
  revision: {
    ...integer,
    description:
      'Rises with every change of what the branch holds or of an answer to a conflict. An approval is for one revision.',
  },
  approved: { ...flag, description: 'The current revision is approved.' },
  approved_by: text,
  approved_time: orNull(datetime),
  changes_url: uri,
  conflicts_url: uri,
}

const conflict = {
  id: integer,
  display: text,
  kind: choice(conflictKinds),
  object_type: objectType,
  object_id: { type: ['integer', 'null'], description: 'Null: the conflict concerns a whole scope.' },
  object_repr: text,
  scope: { type: ['object', 'null'], additionalProperties: text },
  field: orNull(text),
  base: {},
  main: {},
  branch: {},
  resolution: { ...choice(['main', 'branch', 'value', 'skip']), type: ['object', 'null'] },
  value: {},
  resolved_by: text,
  resolved_time: orNull(datetime),
}

/** The schemas of everything that is not an inventory model. */
export const sharedSchemas: Readonly<Record<string, object>> = {
  Detail: object({ detail: text }),
  FieldErrors: {
    type: 'object',
    additionalProperties: listOf(text),
    description: 'Sentences by field or parameter; `__all__` for what concerns no single one.',
  },
  ObjectErrors: {
    ...object({
      detail: text,
      errors: listOf(object({ index: integer, id: integer, errors: ref('FieldErrors') }, ['index', 'id'])),
    }),
    description: 'The objects of a list that stand in the way, by their place in it or their id.',
  },
  BriefServer: object({ id: integer, url: uri, display: text, name: text }),
  ServerReference: object({ id: integer, name: text }, ['id', 'name']),
  EndpointTest: object({
    reachable: flag,
    version: orNull(text),
    code: { ...orNull(text), description: 'Error code, as in `last_error_code`; null without an error.' },
    error: orNull(text),
    presented_fingerprint: orNull(text),
    missing_privileges: { ...listOf(text), description: 'Without an error, these only make the inventory incomplete.' },
    acl_commands: { ...listOf(text), description: 'Commands to run on the server to grant them.' },
  }),
  ServerTestRequest: {
    type: 'object',
    description: 'Empty: tests the stored connection. With a secret: tests the given connection and stores nothing.',
    properties: { token_secret: { ...text, writeOnly: true } },
  },
  Token: object(token),
  NewToken: object({ ...token, token: text }),
  TokenList: envelopeSchema(ref('Token')),
  TokenRequest: object(
    { user: integer, description: { ...text, maxLength: 200 }, write_enabled: flag, expires: orNull(datetime) },
    ['user', 'description', 'write_enabled', 'expires'],
  ),
  Branch: object(branch),
  BranchList: envelopeSchema(ref('Branch')),
  BranchRequest: object({ name: { ...text, maxLength: 100 }, description: { ...text, maxLength: 1024 } }, [
    'name',
    'description',
  ]),
  NewBranch: object({ name: { ...text, maxLength: 100 }, description: { ...text, maxLength: 1024 } }, ['description']),
  BranchChange: object({
    object_type: objectType,
    object_id: integer,
    object_repr: text,
    action: choice(changeActions),
    prechange_data: { type: 'object' },
    postchange_data: { type: 'object' },
  }),
  BranchChangeList: envelopeSchema(ref('BranchChange')),
  BranchConflict: object(conflict),
  BranchConflictList: envelopeSchema(ref('BranchConflict')),
  BranchConflicts: object({ detail: text, conflicts: listOf(ref('BranchConflict')) }, ['conflicts']),
  CommitRequest: object({ commit: { ...flag, default: true, description: 'False: a dry run.' } }, ['commit']),
  RevertRequest: object(
    {
      name: {
        ...text,
        maxLength: 100,
        description: 'Name of the new branch; by default `revert-` and the name of this branch.',
      },
      commit: { ...flag, default: true, description: 'False: a dry run.' },
    },
    ['name', 'commit'],
  ),
  ApproveRequest: object({ revision: { ...integer, description: 'The revision that was reviewed.' } }),
  SyncedBranch: object({ ...branch, commit: flag }),
  ResolveRequest: object(
    {
      resolution: { type: ['string', 'null'], enum: ['main', 'branch', 'value', 'skip', null] },
      value: {},
      conflicts: listOf(integer),
      kind: listOf({ ...text, enum: conflictKinds }),
      object_type: listOf(objectType),
      field: listOf(text),
      scope: { ...listOf(text), description: 'Keys of scopes, as conflicts have them.' },
      all: flag,
    },
    ['value', 'conflicts', 'kind', 'object_type', 'field', 'scope', 'all'],
  ),
  ResolvedBranch: object({ ...branch, resolved: integer }),
  MergedBranch: object({
    ...branch,
    commit: flag,
    merged: object({ created: integer, updated: integer, deleted: integer, skipped: integer }),
  }),
  UsagePoint: object({ time: datetime, used_bytes: integer, total_bytes: integer }),
  UsagePointList: envelopeSchema(ref('UsagePoint')),
  Change: object(change),
  ChangeList: envelopeSchema(ref('Change')),
  SyncRun: object(run),
  SyncRunDetail: object({
    ...run,
    scopes: listOf(ref('SyncRunScope')),
    scope_count: integer,
    waits_for_worker_since: orNull(datetime),
    warnings: listOf(
      object({
        display: text,
        scope: { type: ['object', 'null'], additionalProperties: text },
        code: text,
        message: text,
        count: integer,
      }),
    ),
  }),
  SyncRunList: envelopeSchema(ref('SyncRun')),
  SyncRunJob: job,
  SyncRunJobList: envelopeSchema(ref('SyncRunJob')),
  SyncRunScope: scope,
  SyncRunScopeList: envelopeSchema(ref('SyncRunScope')),
  HeldDeletions: held,
  HeldDeletionsList: envelopeSchema(ref('HeldDeletions')),
  HeldDecision: object({ revision: orNull(integer) }, ['revision']),
  HeldConflict: object({ detail: text, held: ref('HeldDeletions') }),
  SyncRunRequest: object(
    { resources: listOf({ ...text, enum: resources }), servers: listOf({ oneOf: [text, integer] }) },
    ['resources', 'servers'],
  ),
}

/** The fields of a record of the document. */
export function fieldsOf(record: string): ReadonlySet<string> {
  const schema = sharedSchemas[record]
  return new Set(schema !== undefined && 'properties' in schema ? Object.keys(schema.properties as object) : [])
}
