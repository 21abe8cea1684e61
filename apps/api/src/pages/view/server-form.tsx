import { type Field, registry } from '@netbox-pbs/core'
import { addServerPage, listPage } from '../paths.ts'
import { Alert } from './alert.tsx'

/** The columns that the form offers, in its order, and where the secret stands among them. */
const offered = [
  'name',
  'host',
  'port',
  'token_id',
  'token_secret',
  'fingerprint',
  'verify_ssl',
  'sync_schedule',
  'sync_interval_minutes',
] as const

const hints: Readonly<Record<string, string>> = {
  name: 'What the server is called here',
  host: 'Name or address of the server, without https://',
  port: '8007 unless the server is set up otherwise',
  token_id: 'user@realm!tokenname, as PBS shows it under Access Control',
  token_secret:
    'Kept encrypted by the gateway and never shown again. Without it the server is inventory only, not synced.',
  fingerprint: 'SHA-256 of its certificate, from the dashboard of PBS. With it no other server is ever talked to.',
  sync_schedule: 'Cron in UTC, like 30 2 * * *. Blank: the server is synced with the others, as the settings say.',
  sync_interval_minutes: 'Blank: as the settings say. 0: never by schedule. A sync schedule goes before it.',
  verify_ssl: 'Off only for a certificate that nobody signed; a fingerprint is checked all the same.',
}

/** What the form shows: what was typed so far, and what is wrong with it, by field. */
export interface ServerFormProps {
  readonly formToken: string
  readonly values: Readonly<Record<string, string>>
  readonly errors: Readonly<Record<string, ReadonlyArray<string>>>
}

/** What an empty form is filled with: the defaults of the columns. */
export const emptyServer: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries<Field>(registry.server.fields).flatMap(([name, field]) =>
    'default' in field && field.default !== undefined ? [[name, String(field.default)]] : [],
  ),
)

/** Adds a server in one step: row, endpoint and secret. */
export const ServerForm = ({ formToken, values, errors }: ServerFormProps) => {
  const general = Object.entries(errors)
    .filter(([name]) => !offered.some((known) => known === name))
    .flatMap(([, texts]) => texts)
  return (
    <form class="card netbox-pbs-form" method="post" action={addServerPage}>
      <div class="card-body">
        <input type="hidden" name="form_token" value={formToken} />
        {general.length > 0 ? <Alert kind="danger">{general.join(' ')}</Alert> : null}
        {offered.map((name) => (
          <Input name={name} value={name === 'token_secret' ? '' : (values[name] ?? '')} wrong={errors[name] ?? []} />
        ))}
      </div>
      <div class="card-footer btn-list justify-content-end">
        <a class="btn" href={listPage('server')}>
          Cancel
        </a>
        <button class="btn btn-primary" type="submit">
          Add server
        </button>
      </div>
    </form>
  )
}

const fields: Readonly<Record<string, Field>> = {
  ...registry.server.fields,
  token_secret: { class: 'source', type: 'text', max: 255, label: 'Token secret' },
}

const Input = ({ name, value, wrong }: { name: string; value: string; wrong: ReadonlyArray<string> }) => {
  const field = fields[name]
  if (field === undefined) return null
  const described = [`${name}-hint`, ...(wrong.length > 0 ? [`${name}-error`] : [])].join(' ')
  const invalid = wrong.length > 0 ? ' is-invalid' : ''
  const below = (
    <>
      {wrong.length > 0 ? (
        <div class="invalid-feedback d-block" id={`${name}-error`}>
          {wrong.join(' ')}
        </div>
      ) : null}
      <small class="form-hint mt-1" id={`${name}-hint`}>
        {hints[name] ?? ''}
      </small>
    </>
  )
  if (field.type === 'boolean') {
    return (
      <div class="mb-3">
        <label class="form-check mb-0">
          <input
            class={`form-check-input${invalid}`}
            type="checkbox"
            name={name}
            value="true"
            checked={value === 'true'}
            aria-describedby={described}
          />
          <span class="form-check-label">{field.label}</span>
        </label>
        {below}
      </div>
    )
  }
  const secret = name === 'token_secret'
  return (
    <div class="mb-3">
      <label class={field.required ? 'form-label required' : 'form-label'} for={name}>
        {field.label}
      </label>
      <input
        class={`form-control${invalid}`}
        id={name}
        name={name}
        type={secret ? 'password' : 'text'}
        inputmode={field.type === 'integer' ? 'numeric' : undefined}
        autocomplete={secret ? 'new-password' : 'off'}
        spellcheck={false}
        value={value}
        required={field.required}
        aria-describedby={described}
        aria-invalid={wrong.length > 0 ? 'true' : undefined}
      />
      {below}
    </div>
  )
}
