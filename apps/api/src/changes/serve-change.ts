import type { ChangeAction, LoggedChange } from '@netbox-pbs/core'
import { branchUrl, changesPath, runUrl } from '../rest/links.ts'
import { loggedTypes } from '../rest/logged-types.ts'

const labels = { create: 'Created', update: 'Updated', delete: 'Deleted' } as const satisfies Record<
  ChangeAction,
  string
>

/** An entry of the change log in the shape of NetBox's ObjectChange, with the branch and the run that landed it and what it sums up. */
export const servedChange = (base: string, change: LoggedChange) => ({
  id: change.id,
  url: `${base}${changesPath}${change.id}/`,
  display: display(change),
  time: change.time,
  user_name: change.user,
  request_id: change.requestId,
  run:
    change.runId === null
      ? null
      : { id: change.runId, url: runUrl(base, change.runId), display: `Run ${change.runId}` },
  action: { value: change.action, label: labels[change.action] },
  branch:
    change.branch === null
      ? null
      : { id: change.branch.id, url: branchUrl(base, change.branch.id), display: change.branch.name },
  changed_object_type: loggedTypes[change.model].objectType,
  changed_object_id: change.objectId,
  object_repr: change.title,
  prechange_data: change.before ?? {},
  postchange_data: change.after ?? {},
  counts: change.counts,
})

function display({ action, model, objectId, title, user, runId }: LoggedChange): string {
  const { label, labelPlural } = loggedTypes[model]
  const by = runId === null ? user : `run ${runId}`
  const what = objectId === null ? `${labelPlural} in ${title}` : model === 'settings' ? label : `${label} ${title}`
  return `${what} ${labels[action].toLowerCase()} by ${by}`
}
