import { parseTimestamp } from '@netbox-pbs/core'
import { accepted, type Checked, rejected } from './checked.ts'

/** A moment, stored in UTC. */
export function checkDatetime(input: unknown): Checked {
  const timestamp = typeof input === 'string' ? parseTimestamp(input) : null
  return timestamp === null
    ? rejected(
        'Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].',
      )
    : accepted(timestamp)
}
