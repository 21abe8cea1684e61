import { type Field, registry } from '@netbox-pbs/core'
import { Alert } from './alert.tsx'

/** Fields the form offers, in its order; the secret is not a column. */
const offered = ['name', 'host', 'port', 'token_id', 'token_secret', 'fingerprint', 'verify_ssl'] as const

const hints: Readonly<Record<string, string>> = {
  host: 'Name or address of the server, without https://',
  token_id: 'user@realm!tokenname, as PBS shows it under Access Control',
  token_secret: 'Stored encrypted by the gateway and never shown again. Left empty: inventory only, not synced.',
  fingerprint: 'SHA-256 of its certificate, from the PBS dashboard. With it, no other server is ever talked to.',
}

/** What the form shows: the values typed so far, and what is wrong with them by field. */
export interface ServerFormProps {
  readonly formToken: string
  readonly values: Readonly<Record<string, string>>
  readonly errors: Readonly<Record<string, ReadonlyArray<string>>>
}

const fields: Readonly<Record<string, Field>> = registry.server.fields

const Input = ({ name, values, errors }: { name: string } & Omit<ServerFormProps, 'formToken'>) => {
  const field = fields[name]
  const wrong = errors[name] ?? []
  const secret = name === 'token_secret'
  const label = secret ? 'Token secret' : (field?.label ?? name)
  const described = [hints[name] === undefined ? null : `${name}-hint`, wrong.length > 0 ? `${name}-error` : null]
    .filter((id) => id !== null)
    .join(' ')
  const value =
    values[name] ??
    (field !== undefined && 'default' in field && field.default !== undefined ? String(field.default) : '')
  if (field?.type === 'boolean') {
    return (
      <label class="form-check mb-3">
        <input class="form-check-input" type="checkbox" name={name} value="true" checked={value === 'true'} />
        <span class="form-check-label">{label}</span>
      </label>
    )
  }
  return (
    <div class="mb-3">
      <label class={field?.required ? 'form-label required' : 'form-label'} for={name}>
        {label}
      </label>
      <input
        class={wrong.length > 0 ? 'form-control is-invalid' : 'form-control'}
        id={name}
        name={name}
        type={secret ? 'password' : field?.type === 'integer' ? 'number' : 'text'}
        autocomplete={secret ? 'new-password' : 'off'}
        value={secret ? '' : value}
        required={field?.required}
        aria-describedby={described === '' ? undefined : described}
      />
      {wrong.length > 0 ? (
        <div class="invalid-feedback" id={`${name}-error`}>
          {wrong.join(' ')}
        </div>
      ) : null}
      {hints[name] === undefined ? null : (
        <small class="form-hint" id={`${name}-hint`}>
          {hints[name]}
        </small>
      )}
    </div>
  )
}

/** Adds a server in one step: row, endpoint and secret. */
export const ServerForm = ({ formToken, values, errors }: ServerFormProps) => {
  const general = Object.entries(errors).filter(([field]) => !offered.some((name) => name === field))
  return (
    <form class="card" method="post" action="/plugins/pbs/servers/add/">
      <div class="card-body">
        <input type="hidden" name="form_token" value={formToken} />
        {general.length > 0 ? <Alert kind="danger">{general.flatMap(([, texts]) => texts).join(' ')}</Alert> : null}
        {offered.map((name) => (
          <Input name={name} values={values} errors={errors} />
        ))}
      </div>
      <div class="card-footer text-end">
        <a class="btn me-2" href="/plugins/pbs/servers/">
          Cancel
        </a>
        <button class="btn btn-primary" type="submit">
          Add server
        </button>
      </div>
    </form>
  )
}
