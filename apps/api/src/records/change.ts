import {
  type ChangeAction,
  type ChangeFilter,
  changeActions,
  changeFields,
  definitionModels,
  type LoggedChange,
  type LoggedModel,
  modelNames,
  otherLogged,
  registry,
} from '@netbox-pbs/core'
import { z } from 'zod'
import { branchUrl, changesPath, runUrl } from '../rest/links.ts'
import { choices, recordFilter, search, timestamp, wholeNumber } from '../rest/read-filter.ts'
import { choiceOf, numberOf, reference, time } from './fields.ts'

/** The subjects of the change log, under NetBox's names. */
const loggedTypes: Readonly<
  Record<LoggedModel, { readonly objectType: string; readonly label: string; readonly labelPlural: string }>
> = {
  ...registry,
  settings: { objectType: 'netbox_pbs.settings', label: 'Settings', labelPlural: 'Settings' },
  branch: { objectType: 'netbox_branching.branch', label: 'Branch', labelPlural: 'Branches' },
  conflict: { objectType: 'netbox_pbs.branchconflict', label: 'Conflict', labelPlural: 'Conflicts' },
  held_deletions: { objectType: 'netbox_pbs.helddeletions', label: 'Held deletions', labelPlural: 'Held deletions' },
  token: { objectType: 'users.token', label: 'Token', labelPlural: 'Tokens' },
  user: { objectType: 'users.user', label: 'User', labelPlural: 'Users' },
  webhook: { objectType: 'extras.webhook', label: 'Webhook', labelPlural: 'Webhooks' },
  event_rule: { objectType: 'extras.eventrule', label: 'Event rule', labelPlural: 'Event rules' },
  delivery: { objectType: 'netbox_pbs.delivery', label: 'Delivery', labelPlural: 'Deliveries' },
  tag: { objectType: definitionModels.tag.objectType, label: 'Tag', labelPlural: 'Tags' },
  custom_field: {
    objectType: definitionModels.custom_field.objectType,
    label: 'Custom field',
    labelPlural: 'Custom fields',
  },
  objective: { objectType: 'netbox_pbs.objective', label: 'Objective', labelPlural: 'Objectives' },
  encryption_key: { objectType: 'netbox_pbs.encryptionkey', label: 'Key', labelPlural: 'Keys' },
  drill: { objectType: 'netbox_pbs.drill', label: 'Drill', labelPlural: 'Drills' },
  finding: { objectType: 'netbox_pbs.finding', label: 'Finding', labelPlural: 'Findings' },
  choice_set: { objectType: definitionModels.choice_set.objectType, label: 'Choice set', labelPlural: 'Choice sets' },
}

/** The names of all of them. */
const loggedObjectTypes: ReadonlyArray<string> = Object.values(loggedTypes).map(({ objectType }) => objectType)

/** An entry of the change log. */
export const Change = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  time,
  user_name: z.string(),
  message: z
    .string()
    .describe(
      'The `changelog_message` of the write, or of the last edit in the branch that was merged; of a row that took over tags and custom fields of a group that moved, from where.',
    ),
  request_id: z.uuid().nullable(),
  run: reference.nullable(),
  branch: reference.nullable().describe('The branch whose merge landed the change.'),
  action: choiceOf(changeActions),
  changed_object_type: z.enum(loggedObjectTypes),
  changed_object_id: z
    .int()
    .nullable()
    .describe('Null: the entry summarizes the rows that a run created in one scope.'),
  object_repr: z.string(),
  prechange_data: z.record(z.string(), z.unknown()),
  postchange_data: z.record(z.string(), z.unknown()),
  counts: numberOf(modelNames).partial().nullable().describe('Number of further rows that the entry covers, by model.'),
})

const models: ReadonlyArray<LoggedModel> = [...modelNames, ...otherLogged]

/** The filters of the change log. */
export const changeFilter = recordFilter<Pick<ChangeFilter, 'models' | 'search' | 'afterId' | 'after' | 'before'>>(
  Change,
  {
    fields: changeFields,
    parameters: {
      models: choices('changed_object_type', models, (model) => loggedTypes[model].objectType),
      search: search('q'),
      afterId: wholeNumber('after_id'),
      after: timestamp('time_after'),
      before: timestamp('time_before'),
    },
  },
)

const labels = { create: 'Created', update: 'Updated', delete: 'Deleted' } as const satisfies Record<
  ChangeAction,
  string
>

/**
 * An entry of the change log in the shape of NetBox's ObjectChange, with the branch and the run
 * that landed it and the rows that it summarizes.
 */
export const servedChange = (base: string, change: LoggedChange): z.infer<typeof Change> => ({
  id: change.id,
  url: `${base}${changesPath}${change.id}/`,
  display: display(change),
  time: change.time,
  user_name: change.user,
  message: change.message,
  request_id: change.requestId,
  run:
    change.runId === null
      ? null
      : { id: change.runId, url: runUrl(base, change.runId), display: `Run ${change.runId}` },
  branch:
    change.branch === null
      ? null
      : { id: change.branch.id, url: branchUrl(base, change.branch.id), display: change.branch.name },
  action: { value: change.action, label: labels[change.action] },
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
