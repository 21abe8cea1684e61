import { maxMessageLength } from '@netbox-pbs/core'
import { accepted, type Checked, checkText, notNull } from './check-value.ts'

/** Checks the `changelog_message` that an object of a body may have, for its entry in the change log; empty: none. */
export function checkMessage(given: unknown): Checked {
  if (given === undefined) return accepted('')
  return given === null ? notNull : checkText({ max: maxMessageLength }, given)
}
