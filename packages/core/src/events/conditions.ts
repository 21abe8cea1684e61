import { type JsonValue, sameValue } from '../registry/field.ts'
import { safePattern } from './safe-pattern.ts'

/** How a condition compares, in NetBox's words. */
export const conditionOperators = ['eq', 'gt', 'gte', 'lt', 'lte', 'in', 'contains', 'regex'] as const

/** How a condition compares. */
export type ConditionOperator = (typeof conditionOperators)[number]

/** One comparison of an attribute with a value. */
export interface Condition {
  /** The path of the attribute in the event's data: `status.value`. */
  readonly attr: string
  readonly op: ConditionOperator
  readonly value: JsonValue
  /** The condition holds when the comparison does not. */
  readonly negate: boolean
}

/** NetBox's condition set: one condition, or a list of which all or one has to hold. */
export type ConditionSet =
  | Condition
  | { readonly and: ReadonlyArray<ConditionSet> }
  | { readonly or: ReadonlyArray<ConditionSet> }

/** The nesting of sets, and the number of conditions that one rule may have. */
const deepest = 10
const most = 100

/** Conditions as a user wrote them, or what is wrong with them. */
export type ReadConditions =
  | { readonly _tag: 'conditions'; readonly conditions: ConditionSet }
  | { readonly _tag: 'rejected'; readonly message: string }

/** Reads the JSON of a rule's conditions. Null and `{}` are none, and no business of this function. */
export function readConditions(json: unknown): ReadConditions {
  const wrong = new Wrong()
  const conditions = readSet(json, { depth: 1, wrong })
  return wrong.first === null ? { _tag: 'conditions', conditions } : { _tag: 'rejected', message: wrong.first }
}

/** Keeps the first mistake. */
class Wrong {
  first: string | null = null
  conditions = 0

  say(message: string): void {
    this.first ??= message
  }
}

/** What stands for a condition that cannot be read. */
const unread: Condition = { attr: '', op: 'eq', value: null, negate: false }

function readSet(json: unknown, { depth, wrong }: { readonly depth: number; readonly wrong: Wrong }): ConditionSet {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    wrong.say('Conditions are objects: {"attr": "name", "value": "pbs-a"}, or {"and": […]}, {"or": […]}.')
    return unread
  }
  const given = new Map<string, unknown>(Object.entries(json))
  if (!given.has('and') && !given.has('or')) return readCondition(given, wrong)
  const [name = '', list] = [...given][0] ?? []
  if (given.size !== 1) wrong.say('A set of conditions has one key: and, or.')
  if (depth >= deepest) wrong.say(`Conditions may be nested ${deepest} deep.`)
  if (!Array.isArray(list) || list.length === 0) wrong.say(`${name} needs a list of conditions.`)
  if (wrong.first !== null || !Array.isArray(list)) return unread
  const sets = list.map((one) => readSet(one, { depth: depth + 1, wrong }))
  return name === 'and' ? { and: sets } : { or: sets }
}

const known = ['attr', 'value', 'op', 'negate']

function readCondition(given: ReadonlyMap<string, unknown>, wrong: Wrong): Condition {
  wrong.conditions += 1
  if (wrong.conditions > most) wrong.say(`There may be ${most} conditions.`)
  const attr = given.get('attr')
  const op = given.get('op') ?? 'eq'
  const negate = given.get('negate') ?? false
  const value = given.get('value') as JsonValue | undefined // border: a part of a JSON body
  const unknown = [...given.keys()].find((name) => !known.includes(name))
  if (unknown !== undefined) wrong.say(`A condition has attr, value, op and negate; it has no ${unknown}.`)
  if (typeof attr !== 'string' || attr === '' || attr.length > 200)
    wrong.say('A condition needs attr: the path of an attribute, such as status.value.')
  if (value === undefined) wrong.say(`The condition on ${String(attr)} needs a value.`)
  if (!isOperator(op)) wrong.say(`op is one of ${conditionOperators.join(', ')}.`)
  if (typeof negate !== 'boolean') wrong.say('negate is true or false.')
  if (typeof attr !== 'string' || value === undefined || !isOperator(op) || typeof negate !== 'boolean') return unread
  const unfit = unfitValue(op, value)
  if (unfit !== null) wrong.say(`The condition on ${attr} cannot hold: ${unfit}`)
  return { attr, op, value, negate }
}

const isOperator = (op: unknown): op is ConditionOperator => conditionOperators.some((one) => one === op)

/** Why no attribute can be compared with a value; null: some can. */
function unfitValue(op: ConditionOperator, value: JsonValue): string | null {
  switch (op) {
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return typeof value === 'number' ? null : `${op} compares with a number.`
    case 'in':
      return Array.isArray(value) || typeof value === 'string' ? null : 'in needs a list, or a text.'
    case 'regex': {
      const read = typeof value === 'string' ? safePattern(value) : 'regex needs a text.'
      return typeof read === 'string' ? read : null
    }
    case 'eq':
    case 'contains':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? 'an attribute is compared with a text, a number, true, false, null or a list.'
        : null
  }
}

/**
 * Whether the data of an event satisfies conditions. An attribute that the data does not have, or
 * whose value cannot be compared so, makes the whole set false, negated or not, as NetBox has it.
 */
export function satisfies(conditions: ConditionSet, data: JsonValue): boolean {
  try {
    return holds(conditions, data)
  } catch (error) {
    if (error instanceof NotComparable) return false
    throw error
  }
}

/** The paths of the attributes that conditions look at. */
export function conditionAttributes(conditions: ConditionSet): ReadonlyArray<string> {
  if ('and' in conditions) return conditions.and.flatMap(conditionAttributes)
  return 'or' in conditions ? conditions.or.flatMap(conditionAttributes) : [conditions.attr]
}

/** The data lacks an attribute, or has one that the operator does not compare. */
class NotComparable extends Error {}

function holds(conditions: ConditionSet, data: JsonValue): boolean {
  if ('and' in conditions) return conditions.and.every((one) => holds(one, data))
  if ('or' in conditions) return conditions.or.some((one) => holds(one, data))
  const found = conditions.attr.split('.').reduce(member, data)
  return compares(conditions, found) !== conditions.negate
}

/** The member of an object; of a list the members of its objects. */
function member(of: JsonValue, name: string): JsonValue {
  if (Array.isArray(of)) return of.map((one) => member(one, name))
  if (typeof of === 'object' && of !== null && Object.hasOwn(of, name)) {
    return (of as { readonly [key: string]: JsonValue })[name] ?? null
  }
  throw new NotComparable()
}

function compares({ op, value }: Condition, found: JsonValue): boolean {
  switch (op) {
    case 'eq':
      return sameValue(found, value)
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      if (typeof found !== 'number' || typeof value !== 'number') throw new NotComparable()
      return { gt: found > value, gte: found >= value, lt: found < value, lte: found <= value }[op]
    case 'in':
      return includes(value, found)
    case 'contains':
      return includes(found, value)
    case 'regex': {
      const matches = typeof value === 'string' ? safePattern(value) : ''
      if (typeof found !== 'string' || typeof matches === 'string') throw new NotComparable()
      return matches(found)
    }
  }
}

/** Whether a list has a value, or a text a part. */
function includes(whole: JsonValue, part: JsonValue): boolean {
  if (Array.isArray(whole)) return whole.some((one) => sameValue(one, part))
  if (typeof whole === 'string' && typeof part === 'string') return whole.includes(part)
  throw new NotComparable()
}
