import { type Field, registry } from '@netbox-pbs/core'
import type { ServerNotUsable } from '@netbox-pbs/sync'
import { addServerPage, listPage } from '../../rest/page-paths.ts'
import { Alert } from '../components/alert.tsx'
import { CheckField, TextField } from '../components/form-field.tsx'

/** The columns that the form offers, in its order, with the place of the secret. */
const offered = [
  'name',
  'host',
  'port',
  'token_id',
  'token_secret',
  'fingerprint',
  'verify_ssl',
  'timeout_seconds',
  'sync_schedule',
  'sync_interval_minutes',
  'sleep_hours',
] as const

const hints: Readonly<Record<string, string>> = {
  name: 'Name of the server in this inventory',
  host: 'Name or address of the server, without https://',
  port: '8007 unless the server is set up otherwise',
  token_id: 'user@realm!tokenname, as PBS shows it under Access Control',
  token_secret: 'Kept encrypted by the gateway and never shown again.',
  fingerprint:
    'SHA-256 of its certificate, from the dashboard of PBS. Only a server with this certificate is ever contacted.',
  timeout_seconds: 'How long the server may be silent, 1 to 600. A busy server or a slow disk needs more.',
  sync_schedule: 'Cron in UTC, like 30 2 * * *. Blank: the server is synced with the others, as in the settings.',
  sync_interval_minutes: 'Blank: as in the settings. 0: never by schedule. A sync schedule takes precedence.',
  sleep_hours: 'Hours in UTC in which it is down on purpose, like 22:00-06:00. Scheduled runs leave it alone then.',
  verify_ssl: 'Turn off only for self-signed certificates; a pinned fingerprint is always checked.',
}

/** The content of the form: the texts typed so far, and the errors by field. */
export interface ServerFormProps {
  readonly formToken: string
  readonly values: Readonly<Record<string, string>>
  readonly errors: Readonly<Record<string, ReadonlyArray<string>>>
  /** The secret that was typed, sealed; null or left out: none was. */
  readonly kept?: string | null
  /** The connection was tried and does not work. */
  readonly failure?: ServerNotUsable | null
}

/** The button that adds a server without trying its connection. */
export const untested = 'untested'

/** The button that adds a server without credentials. */
export const inventoryOnly = 'inventory-only'

/** The button that pins the certificate which the server has shown; the fingerprint follows. */
export const pinIntent = 'pin:'

/** The values of an empty form: the defaults of the columns. */
export const emptyServer: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries<Field>(registry.server.fields).flatMap(([name, field]) =>
    'default' in field && field.default !== undefined ? [[name, String(field.default)]] : [],
  ),
)

/** Adds a server in one step: row, endpoint and secret. */
export const ServerForm = ({ formToken, values, errors, kept = null, failure = null }: ServerFormProps) => {
  const general = Object.entries(errors)
    .filter(([name]) => !offered.some((known) => known === name))
    .flatMap(([, texts]) => texts)
  return (
    <form class="card netbox-pbs-form" method="post" action={addServerPage}>
      <div class="card-body">
        <input type="hidden" name="form_token" value={formToken} />
        {kept === null ? null : <input type="hidden" name="kept_secret" value={kept} />}
        {failure === null ? null : <NotUsable failure={failure} />}
        {general.length > 0 ? <Alert kind="danger">{general.join(' ')}</Alert> : null}
        {offered.map((name) => (
          <Input
            name={name}
            value={name === 'token_secret' ? '' : (values[name] ?? '')}
            wrong={errors[name] ?? []}
            hint={name === 'token_secret' && kept !== null ? keptHint : (hints[name] ?? '')}
          />
        ))}
      </div>
      <div class="card-footer btn-list justify-content-end">
        {/* The first button is the one that Enter presses. */}
        <button class="btn btn-primary order-last" type="submit">
          Add server
        </button>
        <a class="btn" href={listPage('server')}>
          Cancel
        </a>
        {kept === null && (errors['token_secret'] ?? []).length > 0 ? (
          <button class="btn" type="submit" name="intent" value={inventoryOnly}>
            Add as inventory only, never synced
          </button>
        ) : null}
        {failure === null ? null : <Anyway failure={failure} />}
      </div>
    </form>
  )
}

const keptHint =
  'The secret that you entered is kept for a quarter of an hour. Leave this blank to use it, or enter another.'

/** Why a server was not added, and the commands to run on it where its token lacks privileges. */
const NotUsable = ({ failure: { test } }: { failure: ServerNotUsable }) => (
  <Alert kind="danger">
    <div class="w-100">
      <h2 class="alert-title">The test of the connection failed, so nothing was stored</h2>
      {test.presented_fingerprint === null ? null : (
        <p class="netbox-pbs-break">
          The server presents the certificate <code>{test.presented_fingerprint}</code>
        </p>
      )}
      {test.acl_commands.length === 0 ? null : (
        <>
          <p>Run on the server:</p>
          <Commands commands={test.acl_commands} />
        </>
      )}
    </div>
  </Alert>
)

/** The buttons that add a server anyway. */
const Anyway = ({ failure: { field, test } }: { failure: ServerNotUsable }) => (
  <>
    <button class="btn" type="submit" name="intent" value={untested}>
      Add without testing
    </button>
    {field === 'fingerprint' && test.presented_fingerprint !== null ? (
      <button class="btn btn-danger" type="submit" name="intent" value={`${pinIntent}${test.presented_fingerprint}`}>
        Pin the presented certificate and add
      </button>
    ) : null}
  </>
)

const fields: Readonly<Record<string, Field>> = {
  ...registry.server.fields,
  token_secret: { class: 'source', type: 'text', max: 255, label: 'Token secret' },
}

const Input = ({
  name,
  value,
  wrong,
  hint,
}: {
  name: string
  value: string
  wrong: ReadonlyArray<string>
  hint: string
}) => {
  const field = fields[name]
  if (field === undefined) return null
  const about = { name, label: field.label, hint, wrong }
  if (field.type === 'boolean') return <CheckField {...about} checked={value === 'true'} />
  return (
    <TextField
      {...about}
      value={value}
      secret={name === 'token_secret'}
      numeric={field.type === 'integer'}
      required={field.required}
    />
  )
}

/** Commands to run elsewhere, a line each. */
export const Commands = ({ commands }: { commands: ReadonlyArray<string> }) => (
  <pre class="mb-0">
    <code>{commands.join('\n')}</code>
  </pre>
)
