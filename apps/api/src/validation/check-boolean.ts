import { accepted, type Checked, rejected } from './checked.ts'

const words: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 1, 't', 'y', 'yes', 'true', 'on', '1'].map((word) => [word, true] as const),
  ...[false, 0, 'f', 'n', 'no', 'false', 'off', '0'].map((word) => [word, false] as const),
])

/** The words that NetBox takes for true and false in a body; a filter takes fewer. */
export function checkBoolean(input: unknown): Checked {
  const value = words.get(typeof input === 'string' ? input.trim().toLowerCase() : input)
  return value === undefined ? rejected('Must be a valid boolean.') : accepted(value)
}
