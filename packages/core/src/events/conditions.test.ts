import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../registry/field.ts'
import { conditionAttributes, readConditions, satisfies } from './conditions.ts'

const row: JsonValue = {
  name: 'pbs-a',
  port: 8007,
  verify_ssl: true,
  comment: '',
  version: null,
  status: { value: 'reachable', label: 'Reachable' },
  tags: [{ slug: 'prod' }, { slug: 'berlin' }],
  server: { id: 4, name: 'pbs-a' },
}

function holds(json: unknown, data: JsonValue = row): boolean {
  const read = readConditions(json)
  if (read._tag === 'rejected') throw new Error(read.message)
  return satisfies(read.conditions, data)
}

describe('a condition', () => {
  test.each([
    ['name', 'eq', 'pbs-a', true],
    ['name', 'eq', 'pbs-b', false],
    ['port', 'eq', '8007', false],
    ['version', 'eq', null, true],
    ['verify_ssl', 'eq', true, true],
    ['status.value', 'eq', 'reachable', true],
    ['server.id', 'eq', 4, true],
    ['port', 'gt', 8006, true],
    ['port', 'gt', 8007, false],
    ['port', 'gte', 8007, true],
    ['port', 'lt', 8007, false],
    ['port', 'lte', 8007, true],
    ['name', 'in', ['pbs-a', 'pbs-b'], true],
    ['name', 'in', ['pbs-b'], false],
    ['name', 'in', 'on pbs-a', true],
    ['name', 'contains', 'bs', true],
    ['name', 'contains', 'BS', false],
    ['tags.slug', 'contains', 'prod', true],
    ['tags.slug', 'contains', 'test', false],
    ['tags.slug', 'eq', ['prod', 'berlin'], true],
    ['name', 'regex', 'pbs-[ab]$', true],
    ['name', 'regex', 'a', false],
  ])('%s %s %j: %j', (attr, op, value, expected) => {
    expect(holds({ attr, op, value })).toBe(expected)
    expect(holds({ attr, op, value, negate: true })).toBe(!expected)
  })

  test.each([
    ['of an attribute that the data lacks', { attr: 'nope', value: 1 }],
    ['of a member that the data lacks', { attr: 'status.nope', value: 1 }],
    ['of a member of a text', { attr: 'name.length', value: 5 }],
    ['of an inherited member', { attr: 'constructor.name', value: 'Object' }],
    ['by size of a text', { attr: 'name', op: 'gt', value: 1 }],
    ['by size of nothing', { attr: 'version', op: 'lt', value: 9 }],
    ['by pattern of a number', { attr: 'port', op: 'regex', value: '8.*' }],
    ['that a number contains a text', { attr: 'port', op: 'contains', value: '8' }],
  ])('%s does not hold, negated or not', (_, condition) => {
    expect(holds(condition)).toBe(false)
    expect(holds({ ...condition, negate: true })).toBe(false)
    expect(holds({ or: [condition, { attr: 'name', value: 'pbs-a' }] })).toBe(false)
  })
})

test.each([
  [{ and: [yes(), yes()] }, true],
  [{ and: [yes(), no()] }, false],
  [{ or: [no(), yes()] }, true],
  [{ or: [no(), no()] }, false],
  [{ and: [yes(), { or: [no(), { and: [yes()] }] }] }, true],
])('%j: %j', (set, expected) => {
  expect(holds(set)).toBe(expected)
})

function yes() {
  return { attr: 'name', value: 'pbs-a' }
}
function no() {
  return { attr: 'name', value: 'pbs-b' }
}

describe('reading', () => {
  const deep = (levels: number): object => (levels === 0 ? yes() : { and: [deep(levels - 1)] })

  test('takes as many conditions and levels as it says, and names the attributes', () => {
    expect(readConditions(deep(9))._tag).toBe('conditions')
    const many = readConditions({ or: Array.from({ length: 100 }, yes) })
    expect(many._tag).toBe('conditions')
    const read = readConditions({ and: [yes(), { or: [{ attr: 'server.id', value: 4 }] }] })
    expect(read._tag === 'conditions' && conditionAttributes(read.conditions)).toEqual(['name', 'server.id'])
  })

  test.each([
    [[], 'Conditions are objects: {"attr": "name", "value": "pbs-a"}, or {"and": […]}, {"or": […]}.'],
    ['x', 'Conditions are objects: {"attr": "name", "value": "pbs-a"}, or {"and": […]}, {"or": […]}.'],
    [{ and: [] }, 'and needs a list of conditions.'],
    [{ or: {} }, 'or needs a list of conditions.'],
    [{ and: [yes()], or: [yes()] }, 'A set of conditions has one key: and, or.'],
    [{ and: [yes()], attr: 'x' }, 'A set of conditions has one key: and, or.'],
    [{ and: [yes(), 5] }, 'Conditions are objects: {"attr": "name", "value": "pbs-a"}, or {"and": […]}, {"or": […]}.'],
    [{ value: 1 }, 'A condition needs attr: the path of an attribute, such as status.value.'],
    [{ attr: 'name' }, 'The condition on name needs a value.'],
    [{ ...yes(), op: 'like' }, 'op is one of eq, gt, gte, lt, lte, in, contains, regex.'],
    [{ ...yes(), negate: 'no' }, 'negate is true or false.'],
    [{ ...yes(), negated: true }, 'A condition has attr, value, op and negate; it has no negated.'],
    [{ attr: 'port', op: 'gt', value: '5' }, 'The condition on port cannot hold: gt compares with a number.'],
    [{ attr: 'port', op: 'in', value: 5 }, 'The condition on port cannot hold: in needs a list, or a text.'],
    [{ attr: 'name', op: 'regex', value: '(' }, 'The condition on name cannot hold: Enter a valid regular expression.'],
    [
      { attr: 'status', value: { value: 'ok' } },
      'The condition on status cannot hold: an attribute is compared with a text, a number, true, false, null or a list.',
    ],
    [deep(10), 'Conditions may be nested 10 deep.'],
    [{ or: Array.from({ length: 101 }, yes) }, 'There may be 100 conditions.'],
  ])('refuses %j', (json, message) => {
    expect(readConditions(json)).toEqual({ _tag: 'rejected', message })
  })
})
