import {
  type BranchChange,
  type BranchConflict,
  branchChangeFields,
  branchedModels,
  branchFields,
  branchKinds,
  branchStatuses,
  type Branch as CoreBranch,
  changeActions,
  conflictKinds,
  registry,
  scopeTitle,
} from '@netbox-pbs/core'
import type { BranchChangeFilter, BranchFilter, ConflictFilter, MergeOutcome } from '@netbox-pbs/core/ports'
import { z } from 'zod'
import { branchUrl, runUrl } from '../rest/links.ts'
import { branchPage } from '../rest/page-paths.ts'
import { choices, flag, id, numbers, recordFilter, search, texts } from '../rest/read-filter.ts'
import { choice } from '../rest/row.ts'
import { choiceOf, objectType, reference, scopeFields, time } from './fields.ts'

/** A branch. */
export const Branch = z.object({
  id: z.int(),
  url: z.url(),
  display_url: z.url(),
  display: z.string(),
  schema_id: z.string().describe('Identifies the branch in `X-NetBox-Branch` and `_branch`.'),
  name: z.string(),
  description: z.string(),
  status: choiceOf(branchStatuses),
  kind: choiceOf(branchKinds),
  user: z.string(),
  run: reference.nullable(),
  change_count: z.int(),
  conflict_count: z.int().describe('Unresolved conflicts at the last comparison with main.'),
  checked: time.nullable(),
  created: time,
  last_updated: time,
  merged_time: time.nullable(),
  merged_by: z.string(),
  reverts: reference.nullable().describe('The merged branch that this branch reverts.'),
  review: z.boolean().describe('Requires manual approval even without conflicts.'),
  revision: z
    .int()
    .describe(
      'Rises with every change of the branch or of the resolution of a conflict. An approval is for one revision.',
    ),
  approved: z.boolean().describe('The current revision is approved.'),
  approved_by: z.string(),
  approved_time: time.nullable(),
  changes_url: z.url(),
  conflicts_url: z.url(),
})

/** A branch after an action that may be a dry run. */
export const SyncedBranch = Branch.extend({ commit: z.boolean() })

/** A branch after answers to conflicts. */
export const ResolvedBranch = Branch.extend({ resolved: z.int() })

/** A branch after a merge. */
export const MergedBranch = SyncedBranch.extend({
  merged: z.object({ created: z.int(), updated: z.int(), deleted: z.int(), skipped: z.int() }),
})

/** An object that a branch changes. */
export const ServedBranchChange = z.object({
  object_type: objectType,
  object_id: z.int(),
  object_repr: z.string(),
  action: choiceOf(changeActions),
  message: z
    .string()
    .describe('The `changelog_message` of the last edit that had one. The log of the merge has it too.'),
  prechange_data: z.record(z.string(), z.unknown()),
  postchange_data: z.record(z.string(), z.unknown()),
})

/** A conflict of a branch. */
export const ServedConflict = z.object({
  id: z.int(),
  display: z.string(),
  kind: choiceOf(conflictKinds),
  object_type: objectType,
  object_id: z.int().nullable().describe('Null: the conflict concerns a whole scope.'),
  object_repr: z.string(),
  scope: scopeFields.nullable(),
  field: z.string().nullable(),
  base: z.unknown(),
  main: z.unknown(),
  branch: z.unknown(),
  resolution: choiceOf(['main', 'branch', 'value', 'skip']).nullable(),
  value: z.unknown(),
  resolved_by: z.string(),
  resolved_time: time.nullable(),
})

/** The body of an action that unresolved conflicts prevent. */
export const BranchConflicts = z.object({ detail: z.string(), conflicts: z.array(ServedConflict).optional() })

const objectTypes = choices('object_type', branchedModels, (model) => registry[model].objectType)

/** The filters of the list of branches. */
export const branchFilter = recordFilter<Pick<BranchFilter, 'search' | 'stagedBy'>>(Branch, {
  fields: branchFields,
  parameters: { search: search('q'), stagedBy: id('run') },
})

/** The filters of a branch's list of changes. */
export const branchChangeFilter = recordFilter<Pick<BranchChangeFilter, 'models' | 'search'>>(ServedBranchChange, {
  fields: branchChangeFields,
  parameters: { models: objectTypes, search: search('q') },
})

/** The filters of a branch's conflicts. */
export const conflictFilter = recordFilter<ConflictFilter>(ServedConflict, {
  parameters: {
    ids: numbers('id'),
    kinds: choices('kind', conflictKinds),
    models: objectTypes,
    fields: texts('field'),
    scopes: texts('scope'),
    resolved: flag('resolved'),
  },
})

const briefBranch = (base: string, id: number) => ({ id, url: branchUrl(base, id), display: `Branch ${id}` })

/** A branch as REST answers it. */
export const servedBranch = (base: string, branch: CoreBranch): z.infer<typeof Branch> => ({
  id: branch.id,
  url: branchUrl(base, branch.id),
  display_url: `${base}${branchPage(branch.id)}`,
  display: branch.name,
  schema_id: branch.schema_id,
  name: branch.name,
  description: branch.description,
  status: choice(branch.status),
  kind: choice(branch.kind),
  user: branch.user,
  run:
    branch.run_id === null
      ? null
      : { id: branch.run_id, url: runUrl(base, branch.run_id), display: `Run ${branch.run_id}` },
  change_count: branch.changes,
  conflict_count: branch.conflicts,
  checked: branch.checked,
  created: branch.created,
  last_updated: branch.last_updated,
  merged_time: branch.merged,
  merged_by: branch.merged_by,
  reverts: branch.reverts === null ? null : briefBranch(base, branch.reverts),
  review: branch.review,
  revision: branch.revision,
  approved: branch.approved,
  approved_by: branch.approved_by,
  approved_time: branch.approved_at,
  changes_url: `${branchUrl(base, branch.id)}changes/`,
  conflicts_url: `${branchUrl(base, branch.id)}conflicts/`,
})

/** An object that a branch changes. */
export const servedBranchChange = ({
  model,
  objectId,
  title,
  action,
  message,
  before,
  after,
}: BranchChange): z.infer<typeof ServedBranchChange> => ({
  object_type: registry[model].objectType,
  object_id: objectId,
  object_repr: title,
  action: choice(action),
  message,
  prechange_data: before ?? {},
  postchange_data: after ?? {},
})

/** A conflict of a branch. */
export const servedConflict = (conflict: BranchConflict): z.infer<typeof ServedConflict> => ({
  id: conflict.id,
  display: `${conflict.title}${conflict.field === null ? '' : `: ${conflict.field}`}`,
  kind: choice(conflict.kind),
  object_type: registry[conflict.model].objectType,
  object_id: conflict.objectId,
  object_repr: conflict.title,
  scope:
    conflict.scope === null ? null : { key: conflict.scopeKey, display: scopeTitle(conflict.scope), ...conflict.scope },
  field: conflict.field,
  base: conflict.base,
  main: conflict.main,
  branch: conflict.branch,
  resolution: conflict.resolution === null ? null : choice(conflict.resolution.choice),
  value: conflict.resolution?.choice === 'value' ? conflict.resolution.value : null,
  resolved_by: conflict.resolvedBy,
  resolved_time: conflict.resolvedAt,
})

/** The result of a merge, or of its dry run. */
export const servedMerge = (
  base: string,
  { branch, counts, skipped }: MergeOutcome,
  commit: boolean,
): z.infer<typeof MergedBranch> => ({
  ...servedBranch(base, branch),
  commit,
  merged: { ...counts, skipped },
})
