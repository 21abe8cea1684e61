import { type FieldErrors, parseDatetime } from '@netbox-pbs/core'
import { Effect } from 'effect'
import { invalid, type Refused } from './refused.ts'

/** What the values of a parameter come to: nothing, a filter's value, or what is wrong with them. */
type Read<A> = { readonly value?: A; readonly wrong?: string }

/** A parameter of a list of records: its name and how its values are read. */
export interface Parameter<A> {
  readonly name: string
  readonly read: (texts: ReadonlyArray<string>) => Read<A>
}

type Parameters<F> = { readonly [K in keyof F]-?: Parameter<Exclude<F[K], undefined>> }

/** Values of one parameter that are accepted: more would make a statement without bound. */
const maxValues = 1000

/** Reads the filter of a list of records from a query, 400 with NetBox's sentence for each wrong parameter. A blank value is none. */
export function readFilter<F extends object>(
  params: URLSearchParams,
  parameters: Parameters<F>,
): Effect.Effect<F, Refused> {
  const filter: Record<string, unknown> = {}
  const errors: Record<string, FieldErrors[string]> = {}
  for (const [field, { name, read }] of Object.entries<Parameter<unknown>>(parameters)) {
    const texts = params.getAll(name).filter((text) => text !== '')
    const { value, wrong } =
      texts.length > maxValues
        ? { wrong: `At most ${maxValues} values can be given.` }
        : texts.length > 0
          ? read(texts)
          : {}
    if (wrong !== undefined) errors[name] = [wrong]
    if (value !== undefined) filter[field] = value
  }
  if (Object.keys(errors).length > 0) return Effect.fail(invalid(errors))
  return Effect.succeed(filter as F) // border: each value was read by the parameter of its field
}

/** Some of these choices, each under the name that REST gives it. */
export const choices = <A extends string>(
  name: string,
  all: ReadonlyArray<A>,
  nameOf: (choice: A) => string = (choice) => choice,
): Parameter<ReadonlyArray<A>> => ({
  name,
  read: (texts) => {
    const unknown = texts.find((text) => !all.some((choice) => nameOf(choice) === text))
    return unknown === undefined
      ? { value: all.filter((choice) => texts.includes(nameOf(choice))) }
      : { wrong: `Select a valid choice. ${unknown} is not one of the available choices.` }
  },
})

/** Whole numbers. One beyond what an id can be is no row's. */
export const numbers = (name: string): Parameter<ReadonlyArray<number>> => ({
  name,
  read: (texts) =>
    texts.every((text) => /^\s*[+-]?\d+\s*$/.test(text))
      ? { value: texts.map(Number).filter(Number.isSafeInteger) }
      : { wrong: 'Enter a whole number.' },
})

/** Texts as they are. */
export const texts = (name: string): Parameter<ReadonlyArray<string>> => ({
  name,
  read: (given) => (given.some(hasNull) ? noNull : { value: given }),
})

/** A text to look for; of several the last one counts. */
export const search = (name: string): Parameter<string> => ({
  name,
  read: (given) => {
    const text = given.at(-1)?.trim() ?? ''
    return hasNull(text) ? noNull : text === '' ? {} : { value: text }
  },
})

/** UUIDs. */
export const uuids = (name: string): Parameter<ReadonlyArray<string>> => ({
  name,
  read: (given) => (given.every((text) => uuid.test(text)) ? { value: given } : { wrong: 'Enter a valid UUID.' }),
})

/** A moment; of several the last one counts. */
export const moment = (name: string): Parameter<string> => ({
  name,
  read: (given) => {
    const value = parseDatetime(given.at(-1) ?? '')
    return value === null ? { wrong: 'Enter a valid date/time.' } : { value }
  },
})

/** True or false; of several the last one counts. */
export const flag = (name: string): Parameter<boolean> => ({
  name,
  read: (given) => {
    const text = given.at(-1)?.toLowerCase()
    return text === 'true' || text === 'false' ? { value: text === 'true' } : { wrong: 'Must be true or false.' }
  },
})

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const hasNull = (text: string): boolean => text.includes('\0')
const noNull = { wrong: 'Null characters are not allowed.' }
