import { type Branch, type BranchChange, type BranchConflict, registry, scopeTitle } from '@netbox-pbs/core'
import type { MergeOutcome } from '@netbox-pbs/core/ports'
import { branchUrl, runUrl } from '../rest/links.ts'
import { branchPage } from '../rest/page-paths.ts'
import { choice } from '../rest/row.ts'

const briefBranch = (base: string, id: number) => ({ id, url: branchUrl(base, id), display: `Branch ${id}` })

/** A branch as REST answers it. */
export const servedBranch = (base: string, branch: Branch) => ({
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
export const servedBranchChange = ({ model, objectId, title, action, before, after }: BranchChange) => ({
  object_type: registry[model].objectType,
  object_id: objectId,
  object_repr: title,
  action: choice(action),
  prechange_data: before ?? {},
  postchange_data: after ?? {},
})

/** A conflict of a branch. */
export const servedConflict = (conflict: BranchConflict) => ({
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

/** What a merge has done, or of a dry run would do. */
export const servedMerge = (base: string, { branch, counts, skipped }: MergeOutcome, commit: boolean) => ({
  ...servedBranch(base, branch),
  commit,
  merged: { ...counts, skipped },
})
