import type { TextField } from '@netbox-pbs/core'
import { isCron } from '@netbox-pbs/sync'
import { accepted, type Checked, notBlank, rejected } from './checked.ts'

/** Text is trimmed; numbers are taken as their text. Length is counted in characters, not in UTF-16 units. */
export function checkText(
  {
    max,
    required = false,
    format,
  }: { readonly max: number; readonly required?: boolean; readonly format?: TextField['format'] },
  input: unknown,
): Checked {
  if (typeof input !== 'string' && typeof input !== 'number') return rejected('Not a valid string.')
  const text = String(input).trim()
  if (text === '') return required ? notBlank : accepted('')
  const wrong = [
    ...(text.length > max && [...text].length > max ? [`Ensure this field has no more than ${max} characters.`] : []),
    ...(text.includes('\0') ? ['Null characters are not allowed.'] : []),
    ...surrogate(text),
    ...(format === 'cron' && !isCron(text) ? [noCron] : []),
  ]
  return wrong.length > 0 ? rejected(...wrong) : accepted(text)
}

/** Checked with the parser of the worker, because an unreadable schedule would silently stop scheduled runs. */
export const noCron =
  'Enter a cron expression in UTC that can occur, for example "30 2 * * *". Leave blank to use the interval.'

/** A half of a surrogate pair is no character and cannot be stored. */
function surrogate(text: string): ReadonlyArray<string> {
  const lone = text.isWellFormed() ? undefined : /\p{Surrogate}/u.exec(text)?.[0]
  return lone === undefined
    ? []
    : [`Surrogate characters are not allowed: U+${lone.charCodeAt(0).toString(16).toUpperCase()}.`]
}
