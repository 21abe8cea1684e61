import { describe, expect, test } from 'vitest'
import { type ConditionSet, readConditions } from './conditions.ts'
import { type EventRuleMatch, isAbout, type RaisedEvent, ruleErrors } from './event-rule.ts'
import { eventTypeRules, eventTypes } from './event-types.ts'
import { payloadOf, templateError } from './payload.ts'

const server = 'netbox_pbs.pbsserver'
const snapshot = 'netbox_pbs.pbssnapshot'
const run = 'netbox_pbs.syncrun'

const event: RaisedEvent = {
  type: 'object_updated',
  objectType: snapshot,
  objectId: 7,
  title: 'pbs-a/tank/vm/100',
  time: '2026-05-02T08:00:01Z',
  user: 'ana',
  requestId: '5c0f2f7e-0000-4000-8000-000000000001',
  data: { id: 7, verification_state: { value: 'failed', label: 'Failed' } },
  snapshots: { prechange: { verification_state: 'ok' }, postchange: { verification_state: 'failed' } },
}
const rule: EventRuleMatch = {
  enabled: true,
  object_types: [snapshot],
  event_types: ['object_updated'],
  conditions: null,
}

function read(json: unknown): ConditionSet {
  const conditions = readConditions(json)
  if (conditions._tag === 'rejected') throw new Error(conditions.message)
  return conditions.conditions
}

test.each<[string, Partial<EventRuleMatch>, boolean]>([
  ['one that asks for it', {}, true],
  ['one that is not enabled', { enabled: false }, false],
  ['one of another object type', { object_types: [server] }, false],
  ['one of another event type', { event_types: ['object_deleted'] }, false],
  ['one whose conditions hold', { conditions: read({ attr: 'verification_state.value', value: 'failed' }) }, true],
  ['one whose conditions do not hold', { conditions: read({ attr: 'verification_state.value', value: 'ok' }) }, false],
  [
    'one that looks at the value before',
    { conditions: read({ attr: 'snapshots.prechange.verification_state', value: 'ok' }) },
    true,
  ],
])('an event concerns %s: %j', (_, change, expected) => {
  expect(isAbout({ ...rule, ...change }, event)).toBe(expected)
})

describe('a rule', () => {
  const judge = (
    object_types: EventRuleMatch['object_types'],
    event_types: EventRuleMatch['event_types'],
    conditions: unknown = null,
  ) => ruleErrors({ object_types, event_types, conditions: conditions === null ? null : read(conditions) })

  test('may be about several types, each with an event of its own', () => {
    expect(judge([snapshot, run], ['object_updated', 'job_failed'])).toEqual({})
  })

  test('is not about events that happen to none of its objects, nor objects without one', () => {
    expect(judge([snapshot, run], ['object_updated'])).toEqual({
      object_types: `No event of this rule happens to ${run}: leave it out.`,
    })
    expect(judge([snapshot], ['object_updated', 'branch_ready'])).toEqual({
      event_types: 'branch_ready happens to no object of this rule: add one of netbox_branching.branch.',
    })
  })

  test.each([
    [[snapshot], { attr: 'server.name', value: 'pbs-a' }, false],
    [[snapshot], { attr: 'server', value: null }, false],
    [[snapshot], { attr: 'servers', value: null }, true],
    [
      [snapshot],
      {
        or: [
          { attr: 'server.id', value: 4 },
          { attr: 'owner', value: 'a' },
        ],
      },
      true,
    ],
    [[server], { attr: 'server.name', value: 'pbs-a' }, true],
    [[snapshot, server], { attr: 'server.name', value: 'pbs-a' }, true],
  ])('of creations in %j with %j is refused: %j', (types, conditions, refused) => {
    expect('conditions' in judge(types, ['object_created'], conditions)).toBe(refused)
    expect(judge(types, ['object_deleted'], conditions)).toEqual({})
  })
})

test('every event type has a word and object types', () => {
  expect(eventTypes.map((type) => [type, eventTypeRules[type].word])).toEqual([
    ['object_created', 'created'],
    ['object_updated', 'updated'],
    ['object_deleted', 'deleted'],
    ['job_completed', 'job_ended'],
    ['job_failed', 'job_ended'],
    ['branch_ready', 'branch_ready'],
    ['deletions_held', 'deletions_held'],
    ['finding_opened', 'finding_opened'],
    ['finding_closed', 'finding_closed'],
  ])
})

test("a payload has NetBox's keys, and the object's data over the rule's", () => {
  expect(payloadOf(event, { id: 0, site: 'berlin' })).toEqual({
    event: 'updated',
    timestamp: '2026-05-02T08:00:01+00:00',
    object_type: snapshot,
    username: 'ana',
    request_id: '5c0f2f7e-0000-4000-8000-000000000001',
    data: { id: 7, site: 'berlin', verification_state: { value: 'failed', label: 'Failed' } },
    request: { id: '5c0f2f7e-0000-4000-8000-000000000001', user: 'ana' },
    snapshots: event.snapshots,
  })
  const ended = payloadOf({ ...event, type: 'job_failed', requestId: null, snapshots: null }, null)
  expect(ended).toMatchObject({ event: 'job_ended', request_id: null, request: null })
  expect('snapshots' in ended).toBe(false)
})

test.each([
  ['https://a/{{ x }}', true],
  ['{% if x %}', true],
  ['https://a/{x}', false],
])('%s is a template: %j', (text, is) => {
  expect(templateError(text) !== null).toBe(is)
})
