import { type Change, type Facts, followsSettings, type Presence } from '@netbox-pbs/core'
import type { ServerRow } from '@netbox-pbs/core/ports'
import { describe, expect, test } from 'vitest'
import { type ReportedServer, reconcileServers } from './reconcile-servers.ts'

const facts = (name: string, endpoint_id: number | null, change: Partial<Facts<'server'>> = {}): Facts<'server'> => ({
  name,
  host: 'pbs.example.org',
  port: 8007,
  token_id: 'reader@pbs!netbox',
  fingerprint: '',
  verify_ssl: true,
  timeout_seconds: 30,
  version: '4.2',
  timezone: 'UTC',
  endpoint_id,
  endpoint_state: endpoint_id === null ? 'none' : 'connected',
  ...change,
})
const row = (
  values: Facts<'server'>,
  pendingSince: string | null = null,
  presence: Presence = 'listed',
): ServerRow => ({
  id: 7,
  presence,
  facts: values,
  pendingSince,
  timing: followsSettings,
  health: null,
})
const reported = (name: string, endpoint_id: number, change: Partial<ReportedServer['facts']> = {}): ReportedServer => {
  const { endpoint_state: _, ...values } = facts(name, endpoint_id)
  return { facts: { ...values, endpoint_id, ...change }, observed: { status: 'reachable', last_seen_at: null } }
}

const at = { nowMillis: Date.parse('2026-05-01T02:10:00Z'), runId: 3 }
const justNow = '2026-05-01T02:08:00.001Z'
const longAgo = '2026-05-01T02:08:00Z'
const pending = { endpoint_state: 'pending' } as const

/** Changes in words. */
const words = (changes: ReadonlyArray<Change<'server'>>) =>
  changes.map((change) =>
    change._tag === 'update'
      ? `update ${change.id}: ${change.fields.map(({ field, value }) => `${field}=${value}`).join(' ')}`
      : change._tag === 'create'
        ? `create ${change.values.name} ${change.values.endpoint_state} ${change.values.endpoint_id}`
        : `delete ${change.id}`,
  )

describe('a row of main', () => {
  const connected = row(facts('pbs-a', 1))
  const removed = 'update 7: endpoint_id=null endpoint_state=none'
  test.each<[string, ServerRow, ReadonlyArray<ReportedServer>, ReadonlyArray<string>]>([
    ['connected, reported the same', connected, [reported('pbs-a', 1)], []],
    ['connected, with another host', connected, [reported('pbs-a', 1, { host: 'x' })], ['update 7: host=x']],
    ['connected, its endpoint created again', connected, [reported('pbs-a', 5)], ['update 7: endpoint_id=5']],
    ['connected, not reported', connected, [], [removed]],
    ['connected, renamed at the gateway', connected, [reported('pbs-z', 1)], [removed, 'create pbs-z connected 1']],
    ['inventory only, not reported', row(facts('pbs-a', null)), [], []],
    [
      'made by a user, reported',
      row(facts('pbs-a', null), null, 'manual'),
      [reported('pbs-a', 1)],
      ['update 7: endpoint_id=1 endpoint_state=connected'],
    ],
    ['that does not answer', connected, [reported('pbs-a', 1, { version: null, timezone: null })], []],
    ['pending since just now, not reported', row(facts('pbs-a', null, pending), justNow), [], []],
    ['pending since just now, reported', row(facts('pbs-a', null, pending), justNow), [reported('pbs-a', 1)], []],
    [
      'pending since just now, its endpoint under its old name',
      row(facts('pbs-new', 1, pending), justNow),
      [reported('pbs-a', 1)],
      [],
    ],
    ['pending for long, never connected', row(facts('pbs-a', null, pending), longAgo), [], ['delete 7']],
    ['pending for long, its endpoint gone', row(facts('pbs-a', 1, pending), longAgo), [], [removed]],
    [
      'pending for long, endpoint of its name',
      row(facts('pbs-a', null, { ...pending, host: 'old' }), longAgo),
      [reported('pbs-a', 3)],
      ['update 7: host=pbs.example.org endpoint_id=3 endpoint_state=connected'],
    ],
    [
      'pending for long, endpoint of its id under another name',
      row(facts('pbs-new', 1, pending), longAgo),
      [reported('pbs-a', 1)],
      ['update 7: name=pbs-a endpoint_state=connected'],
    ],
  ])('%s', (_, main, source, changes) => {
    expect(words(reconcileServers([main], source, at).changes)).toEqual(changes)
  })

  test('that takes the name of its endpoint is known by the name it has', () => {
    const { changes } = reconcileServers([row(facts('pbs-new', 1, pending), longAgo)], [reported('pbs-a', 1)], at)
    expect(changes[0]?.key).toEqual(['pbs-new'])
  })

  test('does not take the name of its endpoint when another row has it', () => {
    const main = [row(facts('pbs-new', 1, pending), longAgo), { ...row(facts('pbs-a', null)), id: 8 }]
    expect(words(reconcileServers(main, [reported('pbs-a', 1)], at).changes)).toEqual([
      'update 8: endpoint_id=1 endpoint_state=connected',
      'update 7: endpoint_id=null endpoint_state=none',
    ])
  })
})

test('a server that the gateway renamed is named in a warning', () => {
  const { warnings } = reconcileServers([row(facts('pbs-a', 1))], [reported('pbs-z', 1)], at)
  expect(warnings.map(({ code }) => code)).toEqual(['server_renamed'])
  expect(reconcileServers([row(facts('pbs-a', 1))], [], at).warnings).toEqual([])
})

test('observations come with every server that is reported and not busy', () => {
  const reconciled = reconcileServers([], [reported('pbs-a', 1), reported('pbs-b', 2)], at)
  expect(reconciled.observed.map(({ key }) => key)).toEqual([['pbs-a'], ['pbs-b']])
  const busy = reconcileServers([row(facts('pbs-a', null, pending), justNow)], [reported('pbs-a', 1)], at)
  expect(busy.observed).toEqual([])
})
