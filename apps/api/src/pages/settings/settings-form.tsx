import { settingsPage } from '../../rest/page-paths.ts'
import { removeKey, type SettingName, settingFields } from '../../settings/setting-fields.ts'
import { fieldLabel } from '../../validation/describe-fields.ts'
import { Alert } from '../components/alert.tsx'
import { CheckField, ChoiceField, LinesField, TextField } from '../components/form-field.tsx'

/** What each setting means, with its unit. */
export const settingHints: Readonly<Record<SettingName, string>> = {
  sync_schedule:
    'When all servers are synced: cron in UTC, like 30 2 * * * for every night at half past two. Blank: the interval decides.',
  sync_interval_minutes: 'Minutes between two syncs of a server where no schedule is set. 0: no sync starts by itself.',
  full_sync_interval_hours:
    'Hours between two syncs that read every snapshot. Those in between read only groups that changed. 0: every sync reads all.',
  pbs_requests_per_day:
    'The most requests to each server on a day in UTC; after that nothing more of it is read until the next day. 0: no limit.',
  guard_max_share:
    'The share of the rows of one list, 0 to 1, that a sync may delete at once: 0.3 is 30 %. Deletions beyond both limits wait until a person confirms them.',
  guard_min_rows: 'Rows of one list that a sync may always delete at once, whatever share of it they are.',
  branching_enabled:
    'A sync writes its changes into a branch, which is merged at the end of the run if it has no conflicts.',
  branch_name_prefix: 'The first part of the name of such a branch, at most 64 characters.',
  branch_on_conflict:
    'When a sync and people changed the same value: abort leaves the branch for review, overwrite takes the value of the source.',
  branch_approval_required: 'A branch is merged only after a user other than its author has approved it.',
  changelog_retention_days: 'Days for which the change log is kept. 0: for good.',
  run_retention_days: 'Days for which ended sync runs, and what each server was asked, are kept. 0: for good.',
  task_retention_days: 'Days for which tasks of the servers are kept. 0: for good.',
  delivery_retention_days: 'Days for which ended deliveries of webhooks are kept. 0: for good.',
  webhook_allowed_networks:
    'Private networks to which webhooks may be sent, one a line, like 192.168.1.0/24 or fd00:1::/64. Public addresses need none.',
  proxbox_api_url:
    'Another gateway, or a proxbox-api, like http://127.0.0.1:8800. Blank: the one that the services were started with.',
  proxbox_api_key:
    'The key of that gateway. Kept encrypted and never shown. Blank: the stored one stays, unless the address changes.',
}

/** The settings by what they are about. */
export const settingGroups: ReadonlyArray<{ readonly title: string; readonly names: ReadonlyArray<SettingName> }> = [
  {
    title: 'Sync',
    names: ['sync_schedule', 'sync_interval_minutes', 'full_sync_interval_hours', 'pbs_requests_per_day'],
  },
  { title: 'Deletions', names: ['guard_max_share', 'guard_min_rows'] },
  {
    title: 'Branches',
    names: ['branching_enabled', 'branch_name_prefix', 'branch_on_conflict', 'branch_approval_required'],
  },
  {
    title: 'Retention',
    names: ['changelog_retention_days', 'run_retention_days', 'task_retention_days', 'delivery_retention_days'],
  },
  { title: 'Webhooks', names: ['webhook_allowed_networks'] },
  { title: 'Gateway', names: ['proxbox_api_url', 'proxbox_api_key'] },
]

/** The content of the form: the texts of the settings, stored or typed, and the errors by field. */
export interface SettingsFormProps {
  readonly formToken: string
  readonly values: Readonly<Record<string, string>>
  readonly errors: Readonly<Record<string, ReadonlyArray<string>>>
  /** The settings that the form shows: of a later change it is told. */
  readonly version: string
  /** Whether a key of the gateway is stored. */
  readonly hasKey: boolean
  /** The key that was typed, sealed; null: none was. */
  readonly kept: string | null
}

/** Changes the settings. */
export const SettingsForm = ({ formToken, values, errors, version, hasKey, kept }: SettingsFormProps) => {
  const general = Object.entries(errors).flatMap(([name, texts]) => (name in settingFields ? [] : texts))
  return (
    <form class="card netbox-pbs-form" method="post" action={settingsPage}>
      <div class="card-body">
        <input type="hidden" name="form_token" value={formToken} />
        <input type="hidden" name="version" value={version} />
        {kept === null ? null : <input type="hidden" name="kept_secret" value={kept} />}
        {general.length > 0 ? <Alert kind="danger">{general.join(' ')}</Alert> : null}
        {settingGroups.map(({ title, names }) => (
          <fieldset class="mb-4">
            <legend class="h3">{title}</legend>
            {names.map((name) => (
              <Setting name={name} value={values[name] ?? ''} wrong={errors[name] ?? []} kept={kept !== null} />
            ))}
            {hasKey && names.includes('proxbox_api_key') ? (
              <CheckField
                name={removeKey}
                label="Remove the stored key"
                hint="A key is stored. With a new key above it is replaced."
                wrong={[]}
                checked={values[removeKey] === 'true'}
              />
            ) : null}
          </fieldset>
        ))}
      </div>
      <div class="card-footer btn-list justify-content-end">
        <a class="btn" href={settingsPage}>
          Discard changes
        </a>
        <button class="btn btn-primary" type="submit">
          Save settings
        </button>
      </div>
    </form>
  )
}

const keptHint =
  'The key that you entered is kept for a quarter of an hour. Leave this blank to use it, or enter another.'

const Setting = ({
  name,
  value,
  wrong,
  kept,
}: {
  name: SettingName
  value: string
  wrong: ReadonlyArray<string>
  kept: boolean
}) => {
  const field = settingFields[name]
  const about = { name, label: fieldLabel(name), hint: settingHints[name], wrong }
  switch (field.type) {
    case 'boolean':
      return <CheckField {...about} checked={value === 'true'} />
    case 'choice':
      return (
        <ChoiceField
          {...about}
          value={value}
          choices={field.choices.map((choice) => ({ value: choice, label: fieldLabel(choice) }))}
        />
      )
    case 'list':
      return <LinesField {...about} value={value} />
    case 'secret':
      return <TextField {...about} value="" secret hint={kept ? keptHint : about.hint} />
    case 'number':
      return <TextField {...about} value={value} numeric required />
    case 'text':
      return <TextField {...about} value={value} />
  }
}
