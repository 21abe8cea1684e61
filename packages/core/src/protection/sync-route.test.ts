import { describe, expect, test } from 'vitest'
import { leads, type SyncJobFacts, selects, syncRoute } from './sync-route.ts'

const facts = (options: SyncJobFacts['options'], more: Partial<SyncJobFacts> = {}): SyncJobFacts => ({
  ...{ id: 7, server: 2, store: 'vault', namespace: 'copy', remote: 'pbs-a', options },
  ...more,
})
const route = (options: SyncJobFacts['options'], more: Partial<SyncJobFacts> = {}) => {
  const found = syncRoute(facts({ 'remote-store': 'tank', ...(options as object) }, more))
  if (found === null) throw new Error('no route')
  return found
}
const place = (server: number, store: string, namespace = '') => ({ server, store, namespace })

describe('the route of a sync job', () => {
  test.each([
    ['no options', {}],
    ['options that are no map', 'odd'],
    ['an odd store', { 'remote-store': 4 }],
  ])('is not known with %s', (_, options) => {
    expect(syncRoute(facts(options))).toBeNull()
  })

  test('is that of its options', () => {
    const options = {
      ...{ 'remote-store': 'tank', 'remote-ns': 'site', 'max-depth': 2, 'sync-direction': 'push' },
      ...{ 'group-filter': ['type:vm', 3], 'verified-only': true },
    }
    expect(syncRoute(facts(options))).toEqual({
      job: 7,
      near: place(2, 'vault', 'copy'),
      direction: 'push',
      far: { server: null, store: 'tank', namespace: 'site' },
      maxDepth: 2,
      filters: ['type:vm'],
      selective: true,
    })
  })

  test('stays on its server without a remote', () => {
    expect(route({}, { remote: '' }).far).toEqual(place(2, 'tank'))
  })
})

describe('a sync job leads', () => {
  const pull = route({ 'remote-ns': 'site' })
  const push = route({ 'remote-ns': 'site', 'sync-direction': 'push' })
  const local = route({}, { remote: '' })
  test.each([
    ['to its own place', pull, place(1, 'tank', 'site'), place(2, 'vault', 'copy'), true],
    ['to what is below', pull, place(1, 'tank', 'site/a/b'), place(2, 'vault', 'copy/a/b'), true],
    ['not to another path below', pull, place(1, 'tank', 'site/a'), place(2, 'vault', 'copy/b'), false],
    ['not to a name that begins alike', pull, place(1, 'tank', 'sites'), place(2, 'vault', 'copy2'), false],
    ['not from another store', pull, place(1, 'other', 'site'), place(2, 'vault', 'copy'), false],
    ['not to another server', pull, place(1, 'tank', 'site'), place(3, 'vault', 'copy'), false],
    ['not back', pull, place(2, 'vault', 'copy'), place(1, 'tank', 'site'), false],
    ['away when it pushes', push, place(2, 'vault', 'copy/a'), place(9, 'tank', 'site/a'), true],
    ['not to itself when it pushes', push, place(9, 'tank', 'site'), place(2, 'vault', 'copy'), false],
    ['within a server without a remote', local, place(2, 'tank'), place(2, 'vault', 'copy'), true],
    ['not from other servers without a remote', local, place(1, 'tank'), place(2, 'vault', 'copy'), false],
    [
      'no further than its depth',
      route({ 'max-depth': 1 }),
      place(1, 'tank', 'a/b'),
      place(2, 'vault', 'copy/a/b'),
      false,
    ],
    ['as far as its depth', route({ 'max-depth': 1 }), place(1, 'tank', 'a'), place(2, 'vault', 'copy/a'), true],
    [
      'to its namespace alone at depth 0',
      route({ 'max-depth': 0 }),
      place(1, 'tank', 'a'),
      place(2, 'vault', 'copy/a'),
      false,
    ],
  ])('%s', (_, sync, from, to, expected) => {
    expect(leads(sync, from, to)).toBe(expected)
  })
})

describe('a sync job selects groups', () => {
  test.each([
    [[], 'vm', '100', true],
    [['type:vm'], 'vm', '100', true],
    [['include:type:vm'], 'ct', '100', false],
    [['group:vm/100'], 'vm', '100', true],
    [['group:vm/100'], 'vm', '1001', false],
    [['exclude:type:vm'], 'vm', '100', false],
    [['exclude:type:ct'], 'vm', '100', true],
    [['type:vm', 'exclude:group:vm/100'], 'vm', '100', false],
    [['regex:^vm/1'], 'vm', '100', null],
    [['regex:^vm/1', 'type:vm'], 'vm', '100', true],
    [['exclude:regex:^vm/1'], 'vm', '100', null],
    [['regex:^vm/1', 'exclude:type:vm'], 'vm', '100', false],
  ])('by %j: %s/%s %s', (filters, type, id, expected) => {
    expect(selects(route({ 'group-filter': filters }), type, id)).toBe(expected)
  })
})
