import type { Choice } from '@netbox-pbs/core'
import { accepted, type Checked, notBlank, rejected } from './checked.ts'
import { pythonText } from './python-text.ts'

/** One of the choices by its bare value; null counts as blank. */
export function checkChoice({ choices }: { readonly choices: ReadonlyArray<Choice> }, input: unknown): Checked {
  if (input === null || input === '') return notBlank
  if (typeof input === 'object') {
    return rejected('Value must be passed directly (e.g. "foo": 123); do not use a dictionary or list.')
  }
  return choices.some(({ value }) => value === input)
    ? accepted(String(input))
    : rejected(`${typeof input === 'string' ? input : pythonText(input)} is not a valid choice.`)
}
