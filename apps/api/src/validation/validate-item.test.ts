import type { ModelName } from '@netbox-pbs/core'
import { describe, expect, test } from 'vitest'
import { validateItem } from './validate-item.ts'

const known = {
  idsByName: new Map([
    ['pbs-a', 4],
    ['7', 9],
  ]),
  ids: new Set([4, 7, 9]),
  idsByAttributes: new Map([
    ['{"host":"192.0.2.4"}', [4]],
    ['{}', [4, 7]],
  ]),
}
const judge = (model: ModelName, input: unknown, mode: 'whole' | 'partial' = 'partial') => {
  const { values, errors } = validateItem(model, input, known, mode)
  return { values, errors }
}

describe('a field takes', () => {
  test.each<[ModelName, string, unknown, unknown]>([
    ['snapshot', 'comment', ' trimmed ', 'trimmed'],
    ['snapshot', 'comment', '', ''],
    ['snapshot', 'owner', 5, '5'],
    ['snapshot', 'comment', '🔑'.repeat(1024), '🔑'.repeat(1024)],
    ['snapshot', 'size_bytes', '5', 5],
    ['snapshot', 'size_bytes', ' 5.00 ', 5],
    ['snapshot', 'size_bytes', null, null],
    ['snapshot', 'size_bytes', 9007199254740991, 9007199254740991],
    ['snapshot', 'protected', 'yes', true],
    ['snapshot', 'protected', ' OFF ', false],
    ['snapshot', 'protected', 0, false],
    ['snapshot', 'backup_time', '2026-03-04T05:06:07.5+02:00', '2026-03-04T03:06:07.500000Z'],
    ['snapshot', 'last_seen_at', null, null],
    ['snapshot', 'backup_type', 'vm', 'vm'],
    ['snapshot', 'server', 4, 4],
    ['snapshot', 'server', 'pbs-a', 4],
    ['snapshot', 'server', '7', 9],
    ['snapshot', 'server', '4', 4],
    ['snapshot', 'server', { id: 4 }, 4],
    ['snapshot', 'server', { name: 'pbs-a' }, 4],
    ['snapshot', 'server', { host: '192.0.2.4' }, 4],
    ['snapshot', 'server', { name: 'pbs-a', id: '4' }, 4],
  ])('%s.%s: %j', (model, name, input, value) => {
    expect(judge(model, { [name]: input })).toEqual({ values: { [name]: value }, errors: {} })
  })
})

describe('a field refuses', () => {
  const datetime =
    'Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].'
  const noSuchId = (id: number) => `Related object not found using the provided numeric ID: ${id}`
  const noSuch = (attributes: string) => `Related object not found using the provided attributes: ${attributes}`
  const unrecognized = (value: string) =>
    `Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value: ${value}`

  test.each<[ModelName, string, unknown, string]>([
    ['server', 'name', null, 'This field may not be null.'],
    ['server', 'name', '  ', 'This field may not be blank.'],
    ['server', 'name', true, 'Not a valid string.'],
    ['server', 'name', ['a'], 'Not a valid string.'],
    ['server', 'name', 'a\0b', 'Null characters are not allowed.'],
    ['server', 'name', 'a\ud800', 'Surrogate characters are not allowed: U+D800.'],
    ['snapshot', 'comment', 'x'.repeat(1025), 'Ensure this field has no more than 1024 characters.'],
    ['server', 'port', 'abc', 'A valid integer is required.'],
    ['server', 'port', true, 'A valid integer is required.'],
    ['server', 'port', null, 'This field may not be null.'],
    ['server', 'port', 0, 'Ensure this value is greater than or equal to 1.'],
    ['server', 'port', 70000, 'Ensure this value is less than or equal to 65535.'],
    ['datastore', 'used_bytes', 1.5, 'A valid biginteger is required.'],
    ['datastore', 'used_bytes', 9007199254740992, 'Ensure this value is less than or equal to 9007199254740991.'],
    ['datastore', 'used_bytes', '9007199254740993', 'Ensure this value is less than or equal to 9007199254740991.'],
    [
      'datastore',
      'used_bytes',
      '9223372036854775808',
      'Ensure this value is less than or equal to 9223372036854775807.',
    ],
    ['server', 'verify_ssl', 'maybe', 'Must be a valid boolean.'],
    ['server', 'verify_ssl', null, 'This field may not be null.'],
    ['server', 'status', null, 'This field may not be blank.'],
    ['server', 'status', 5, '5 is not a valid choice.'],
    ['server', 'status', 'Reachable', 'Reachable is not a valid choice.'],
    ['server', 'status', true, 'True is not a valid choice.'],
    ['server', 'status', ['ok'], 'Value must be passed directly (e.g. "foo": 123); do not use a dictionary or list.'],
    ['server', 'last_seen_at', 'yesterday', datetime],
    ['server', 'last_seen_at', 5, datetime],
    ['snapshot', 'backup_time', null, 'This field may not be null.'],
    ['snapshot', 'server', null, 'This field may not be null.'],
    ['snapshot', 'server', 99, noSuchId(99)],
    ['snapshot', 'server', '99', noSuchId(99)],
    ['snapshot', 'server', 's0', unrecognized('s0')],
    ['snapshot', 'server', true, unrecognized('True')],
    ['snapshot', 'server', [4], unrecognized('[4]')],
    ['snapshot', 'server', { name: 'zz' }, noSuch("{'name': 'zz'}")],
    ['snapshot', 'server', { id: 7, name: 'pbs-a' }, noSuch("{'id': 7, 'name': 'pbs-a'}")],
    ['snapshot', 'server', { id: 99 }, noSuch("{'id': 99}")],
    ['snapshot', 'server', { name: [[[[[5]]]]] }, noSuch("{'name': [[[…]]]}")],
    ['snapshot', 'server', {}, 'Multiple objects match the provided attributes: {}'],
    [
      'snapshot',
      'server',
      { zz: 1 },
      expect.stringMatching(/^Cannot resolve keyword 'zz' into field. Choices are: .*host, id,/),
    ],
  ])('%s.%s: %j', (model, name, input, message) => {
    expect(judge(model, { [name]: input })).toEqual({ values: {}, errors: { [name]: [message] } })
  })
})

test('a whole row needs its required fields, a change none', () => {
  expect(judge('job', {}, 'whole').errors).toEqual({
    server: ['This field is required.'],
    job_type: ['This field is required.'],
    job_id: ['This field is required.'],
  })
  expect(judge('job', {})).toEqual({ values: {}, errors: {} })
})

test('unknown, read-only and internal fields are ignored, and what every object has is no field', () => {
  const input = { id: 5, endpoint_id: 3, endpoint_state: 'connected', timezone: 'x', nope: 1, tags: [], created: 'x' }
  expect(judge('server', input)).toEqual({ values: {}, errors: {} })
  expect(judge('snapshot', { manifest_files: [1], files: [1], finished: false })).toEqual({ values: {}, errors: {} })
  expect(judge('server', JSON.parse('{"__proto__":{"name":"x"}}'), 'whole').values).toEqual({})
})

test.each([
  [5, 'int'],
  [1.5, 'float'],
  ['x', 'str'],
  [true, 'bool'],
  [null, 'NoneType'],
  [[], 'list'],
])('%j is no row', (input, type) => {
  expect(judge('server', input).errors).toEqual({
    __all__: [`Invalid data. Expected a dictionary, but got ${type}.`],
  })
})
