import type { FieldErrors } from '@netbox-pbs/core'
import type { EditValues, EndpointInput } from '@netbox-pbs/core/ports'
import { EndpointIn } from '@netbox-pbs/proxbox-client/contract'
import { Redacted } from 'effect'
import { isDictionary, ownValue } from '../validation/validate-item.ts'

/** A secret that came with a server, or the errors of it and of its connection. Null: there was none. */
export type ReadSecret =
  | { readonly _tag: 'secret'; readonly endpoint: EndpointInput; readonly untested: boolean }
  | { readonly _tag: 'rejected'; readonly errors: FieldErrors }

/**
 * Reads the write-only `token_secret` of a body for a server, and `untested`, which stores it
 * without a test of the connection; `values` are the server's columns after the write. With a
 * secret, host, token_id and fingerprint must have the form that the gateway's contract requires.
 */
export function readSecret(input: unknown, values: EditValues): ReadSecret | null {
  const secret = isDictionary(input) ? ownValue(input, 'token_secret') : undefined
  if (!isDictionary(input) || secret === undefined) return null
  const untested = ownValue(input, 'untested') ?? false
  if (typeof untested !== 'boolean') return rejected({ untested: ['Must be a valid boolean.'] })
  if (secret === null) return rejected({ token_secret: ['This field may not be null.'] })
  if (secret === '') return rejected({ token_secret: ['This field may not be blank.'] })
  const { data, error } = EndpointIn.safeParse({ ...connectionOf(values), token_secret: secret })
  if (data === undefined) {
    const errors: Record<string, Array<string>> = {}
    for (const { path, message } of error.issues) {
      const field = String(path[0] ?? '__all__')
      errors[field] = [...(errors[field] ?? []), `This field ${message}.`]
    }
    return rejected(errors)
  }
  const { name, host, port, token_id, fingerprint, verify_ssl, timeout_seconds } = data
  const token_secret = Redacted.make(data.token_secret)
  const endpoint = {
    name,
    host,
    port,
    token_id,
    token_secret,
    fingerprint: fingerprint ?? '',
    verify_ssl,
    timeout_seconds,
  }
  return { _tag: 'secret', endpoint, untested }
}

/** Whether a body has a `token_secret` of any value. */
export const hasSecret = (input: unknown): boolean =>
  isDictionary(input) && ownValue(input, 'token_secret') !== undefined

/** The error of a secret in a list: it is accepted with a single server only. */
export const secretInBulk: FieldErrors = { token_secret: ['Send a server with its secret alone.'] }

const columns = ['name', 'host', 'port', 'token_id', 'fingerprint', 'verify_ssl', 'timeout_seconds'] as const

/** The columns of a server that its endpoint at the gateway holds too. */
export function connectionOf(values: Readonly<Record<string, unknown>>): EditValues {
  const scalars = columns.map((name) => [name, values[name]] as const)
  return Object.fromEntries(scalars.flatMap(([name, value]) => (isScalar(value) ? [[name, value]] : [])))
}

const rejected = (errors: FieldErrors): ReadSecret => ({ _tag: 'rejected', errors })

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
