import type { Field, ModelName } from '../registry/field.ts'
import type { Lookup } from './list-query.ts'

/** A field that a list is filtered by: its type decides its lookups, and how their values are read. */
export type FilterField =
  | { readonly type: 'text' | 'datetime' | 'boolean' | 'uuid' }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'choice'; readonly choices: ReadonlyArray<{ readonly value: string }> }
  | { readonly type: 'reference'; readonly model: ReferencedModel }

/** What a field refers to: rows of the inventory, or users. */
export type ReferencedModel = ModelName | 'user'

/** The comparison that a suffix of a parameter asks for. */
export interface Comparison {
  readonly lookup: Lookup
  readonly negated: boolean
}

const is = (lookup: Lookup): Comparison => ({ lookup, negated: false })
const isNot = (lookup: Lookup): Comparison => ({ lookup, negated: true })

const negation = { n: isNot('exact') }
const ofText = {
  ...negation,
  ic: is('ic'),
  nic: isNot('ic'),
  ie: is('ie'),
  nie: isNot('ie'),
  isw: is('isw'),
  nisw: isNot('isw'),
  iew: is('iew'),
  niew: isNot('iew'),
  empty: is('empty'),
  regex: is('regex'),
  iregex: is('iregex'),
}
const ofNumbers = { ...negation, lt: is('lt'), lte: is('lte'), gt: is('gt'), gte: is('gte'), empty: is('empty') }

/**
 * NetBox's suffixes by the type of a field (netbox/utilities/constants.py, FILTER_*_LOOKUP_MAP). It has none for
 * booleans; JSON is not filtered at all.
 */
const suffixes: Readonly<Record<Field['type'] | 'uuid', ReadonlyMap<string, Comparison>>> = {
  text: new Map(Object.entries(ofText)),
  choice: new Map(Object.entries(ofText)),
  integer: new Map(Object.entries(ofNumbers)),
  datetime: new Map(Object.entries(ofNumbers)),
  reference: new Map(Object.entries(negation)),
  uuid: new Map(Object.entries(negation)),
  boolean: new Map(),
  json: new Map(),
}

/** The suffixes of a parameter that filters by a field of a type, without their underscores: `n`, `ic`. */
export const suffixesOf = (type: keyof typeof suffixes): ReadonlyArray<string> => [...suffixes[type].keys()]

/** The comparison of a suffix, null being none; undefined: NetBox has no such filter. */
export const comparisonOf = (type: keyof typeof suffixes, suffix: string | null): Comparison | undefined =>
  suffix === null ? is('exact') : suffixes[type].get(suffix)

/** A parameter's name without its suffix, and the suffix; null: it has none. */
export function splitParameter(parameter: string): { readonly name: string; readonly suffix: string | null } {
  const at = parameter.lastIndexOf('__')
  return at <= 0
    ? { name: parameter, suffix: null }
    : { name: parameter.slice(0, at), suffix: parameter.slice(at + '__'.length) }
}
