import type { FieldErrors } from '@netbox-pbs/core'
import type { EndpointTest } from '@netbox-pbs/core/ports'
import type { ServerNotUsable } from '@netbox-pbs/sync'
import type { ApiContext } from '../rest/caller.ts'

/**
 * The 400 for a connection that was tried and does not work, by the field to look at, with the way
 * to store it anyway.
 */
export const notUsableErrors = ({ field, message }: ServerNotUsable): FieldErrors => ({
  [field]: [`${message} Nothing was stored: correct it, or send "untested": true to store it as it is.`],
})

/** Privileges that a header names. */
const mostNamed = 50

/**
 * Names the privileges that the token of a written server lacks in `X-Missing-Privileges`:
 * `Remote.Audit on /remote, Tape.Audit on /tape`.
 */
export function nameMissingPrivileges(c: ApiContext, test: EndpointTest | null): void {
  const missing = test?.missing_privileges ?? []
  if (missing.length > 0)
    c.header(
      'X-Missing-Privileges',
      missing
        .slice(0, mostNamed)
        .join(', ')
        .replaceAll(/[^\x20-\x7e]/g, '?'),
    )
}
