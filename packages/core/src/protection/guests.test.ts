import { FastCheck as fc } from 'effect'
import { describe, expect, test } from 'vitest'
import {
  type CopyLink,
  copyCounts,
  copyLag,
  copyLinks,
  type GuestGroup,
  guestsOf,
  keepGuests,
  mostCommon,
} from './guests.ts'
import { type SyncRoute, syncRoute } from './sync-route.ts'

/** A group whose points were seen when they were made and `delay` later; main has known it since `created`. */
const group = (
  id: number,
  times: ReadonlyArray<number>,
  { created = 0, delay = 1, ...more }: Partial<GuestGroup> & { readonly delay?: number } = {},
): GuestGroup => ({
  ...{ id, server: id, store: `store${id}`, namespace: '', created },
  ...{ times, seen: times.map((time) => Math.max(time + delay, created)) },
  ...more,
})

/** A job that pulls from the store of one group to that of another. */
const pull = (from: number, to: number, job = 70 + to): SyncRoute => {
  const options = { 'remote-store': `store${from}` }
  const route = syncRoute({ id: job, server: to, store: `store${to}`, namespace: '', remote: 'other', options })
  if (route === null) throw new Error('no route')
  return route
}

const family = (...groups: ReadonlyArray<GuestGroup>) => ({ backupType: 'vm', backupId: '100', groups })

/** The guests as `origin: copy<source, …`, of what one look finds. */
const found = (
  groups: ReadonlyArray<GuestGroup>,
  routes: ReadonlyArray<SyncRoute> = [],
  known: ReadonlyArray<CopyLink> = [],
): ReadonlyArray<string> => {
  const links = copyLinks(family(...groups), routes, known)
  return guestsOf(family(...groups), routes, links).map(
    ({ origin, copies }) => `${origin}:${copies.map(({ group: id, copyOf }) => ` ${id}<${copyOf}`).join('')}`,
  )
}

describe('groups are one guest', () => {
  const nights = [1000, 2000, 3000, 4000, 5000, 6000]
  const others = [1100, 2100, 3100, 4100, 5100, 6100]
  test.each([
    ['not without a common time', [group(1, nights), group(2, others)], [], ['1:', '2:']],
    ['not with two common times and no job', [group(1, nights), group(2, [1000, 2000])], [], ['1:', '2:']],
    ['with three common times', [group(1, nights), group(2, [1000, 2000, 3000], { delay: 9 })], [], ['1: 2<1']],
    ['with one common time and a job', [group(1, nights), group(2, [1000])], [pull(1, 2)], ['1: 2<1']],
    ['not by a job alone', [group(1, nights), group(2, others)], [pull(1, 2)], ['1:', '2:']],
    ['not by a job of other places', [group(1, nights), group(2, [1000])], [pull(1, 3)], ['1:', '2:']],
    [
      'although either prunes otherwise',
      [group(1, [1000, 4000, 5000, 6000]), group(2, [1000, 2000, 3000, 4000, 5000], { delay: 9 })],
      [],
      ['1: 2<1'],
    ],
    [
      'not by accident: three common times among many others',
      [group(1, [...nights, 7000, 8000]), group(2, [1000, 2100, 3100, 4000, 5100, 6100, 7100, 8000])],
      [],
      ['1:', '2:'],
    ],
    [
      'not where the job leaves the group out',
      [group(1, nights), group(2, [1000])],
      [{ ...pull(1, 2), filters: ['type:ct'] }],
      ['1:', '2:'],
    ],
    [
      'also by a filter that only PBS can read',
      [group(1, nights), group(2, [1000])],
      [{ ...pull(1, 2), filters: ['regex:x'] }],
      ['1: 2<1'],
    ],
  ] as const)('%s', (_, groups, routes, expected) => {
    expect(found(groups, routes)).toEqual(expected)
  })
})

describe('the origin is', () => {
  const nights = [1000, 2000, 3000]
  test.each([
    ['the one that a job copies from', [group(1, nights, { created: 9 }), group(2, nights)], [pull(1, 2)], ['1: 2<1']],
    ['the one with its points first', [group(1, nights, { delay: 50 }), group(2, nights)], [], ['2: 1<2']],
    [
      'the one known for longest after a first list',
      [group(1, nights, { created: 4000 }), group(2, nights, { created: 4001 })],
      [],
      ['1: 2<1'],
    ],
    [
      'the first row where nothing else tells',
      [group(2, nights, { created: 4000 }), group(1, nights, { created: 4000 })],
      [],
      ['1: 2<1'],
    ],
    [
      'decided by points where jobs lead both ways',
      [group(1, nights, { delay: 50 }), group(2, nights)],
      [pull(1, 2), pull(2, 1)],
      ['2: 1<2'],
    ],
    [
      'the first of a chain',
      [group(1, nights), group(2, nights, { delay: 5 }), group(3, nights, { delay: 9 })],
      [pull(1, 2), pull(2, 3)],
      ['1: 2<1 3<2'],
    ],
    [
      'the source of two copies',
      [group(1, nights), group(2, nights, { delay: 5 }), group(3, nights, { delay: 9 })],
      [pull(1, 2), pull(1, 3)],
      ['1: 2<1 3<1'],
    ],
    [
      'the first without jobs too',
      [group(1, nights), group(2, nights, { delay: 5 }), group(3, nights, { delay: 9 })],
      [],
      ['1: 2<1 3<1'],
    ],
    [
      'the eldest of a circle of jobs',
      [group(1, nights), group(2, nights), group(3, nights)],
      [pull(1, 2), pull(2, 3), pull(3, 1)],
      ['1: 2<1 3<2'],
    ],
  ] as const)('%s', (_, groups, routes, expected) => {
    expect(found(groups, routes)).toEqual(expected)
  })

  test('of several that fit a job the one with the same backups', () => {
    const groups = [group(4, [3000], { store: 'store1' }), group(1, nights), group(2, nights)]
    expect(found(groups, [pull(1, 2)])).toEqual(['1: 2<1', '4:'])
  })
})

describe('what is known stays', () => {
  const before = [group(1, [1000, 2000, 3000]), group(2, [1000, 2000, 3000], { delay: 9 })]
  const known = copyLinks(family(...before), [], [])
  const pruned = [group(1, [7000, 8000]), group(2, [1000, 2000, 3000], { delay: 9 })]

  test('when no common time is left', () => {
    expect(known).toEqual([{ origin: 1, copy: 2, evidence: 'arrival', common: 3 }])
    expect(copyLinks(family(...pruned), [], known)).toEqual(known)
    expect(found(pruned, [], known)).toEqual(['1: 2<1'])
    expect(found(pruned)).toEqual(['1:', '2:'])
  })

  test('until one of the groups goes', () => {
    expect(found(pruned.slice(1), [], known)).toEqual(['2:'])
    expect(copyLinks(family(...pruned.slice(1)), [], known)).toEqual([])
  })

  test('until a job or arrivals tell the opposite', () => {
    const guessed: ReadonlyArray<CopyLink> = [{ origin: 2, copy: 1, evidence: 'order', common: 3 }]
    expect(copyLinks(family(...pruned), [], guessed)).toEqual(guessed)
    expect(copyLinks(family(...before), [], guessed)).toEqual(known)
    expect(copyLinks(family(...pruned), [pull(1, 2)], guessed)).toEqual([
      { origin: 1, copy: 2, evidence: 'job', common: 3 },
    ])
  })

  test('and the common times are counted to an end', () => {
    const many = Array.from({ length: mostCommon + 5 }, (_, nth) => nth * 10)
    const [link] = copyLinks(family(group(1, many), group(2, many, { delay: 2 })), [], [])
    expect(link?.common).toBe(mostCommon)
  })
})

describe('the lag of a copy', () => {
  test.each([
    ['none', [1, 2, 3], 3, { behind: 0, since: null }],
    ['none of pruned points', [1, 2, 3], 4, { behind: 0, since: null }],
    ['from the oldest newer point', [1, 2, 3], 1, { behind: 2, since: 2 }],
    ['all of a copy without points', [1, 2], null, { behind: 2, since: 1 }],
    ['none of an origin without points', [], null, { behind: 0, since: null }],
  ] as const)('%s', (_, origin, newest, expected) => {
    expect(copyLag(origin, newest)).toEqual(expected)
  })

  test('counts against the origin, not against the source', () => {
    const groups = [group(1, [1, 2, 3, 4, 5]), group(2, [1, 2, 3, 4], { delay: 5 }), group(3, [1, 2, 3], { delay: 9 })]
    const routes = [pull(1, 2), pull(2, 3)]
    expect(guestsOf(family(...groups), routes, copyLinks(family(...groups), routes, []))).toEqual([
      {
        origin: 1,
        copies: [
          { group: 2, copyOf: 1, job: 72, behind: 1, since: 5 },
          { group: 3, copyOf: 2, job: 73, behind: 2, since: 4 },
        ],
      },
    ])
  })
})

/** Groups of one id: machines whose backups some groups hold, by a bit mask, each seen at random. */
const anyGroups = fc.array(
  fc.record({
    times: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 8 }),
    delay: fc.integer({ min: 0, max: 4 }),
    created: fc.integer({ min: 0, max: 6 }),
  }),
  { minLength: 1, maxLength: 5 },
)
const anyRoutes = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })), { maxLength: 4 })

const drawn = (groups: typeof anyGroups extends fc.Arbitrary<infer A> ? A : never) =>
  groups.map(({ times, delay, created }, at) =>
    group(
      at + 1,
      times.toSorted((a, b) => a - b),
      { delay, created },
    ),
  )

describe('for any groups and jobs', () => {
  const any = fc.tuple(
    anyGroups.map(drawn),
    anyRoutes.map((pairs) => pairs.flatMap(([a, b]) => (a === b ? [] : [pull(a, b)]))),
  )

  test('the links are those of a look at all pairs, point by point', () => {
    fc.assert(
      fc.property(any, ([groups, routes]) => {
        const links = copyLinks(family(...groups), routes, [])
        const expected = groups.flatMap((a) =>
          groups.flatMap((b) => {
            if (a.id === b.id) return []
            const common = a.times.filter((time) => b.times.includes(time))
            const [first = 0, last = 0] = [common[0], common.at(-1)]
            const within = (of: GuestGroup) => of.times.filter((time) => time >= first && time <= last).length
            const joined = routes.some(({ near, far }) => {
              const [x, y] = [far.store, near.store]
              return (x === a.store && y === b.store) || (x === b.store && y === a.store)
            })
            const alike = common.length >= 3 && common.length >= (Math.min(within(a), within(b)) * 2) / 3
            return common.length > 0 && (joined || alike) ? [[a.id, b.id].sort().join()] : []
          }),
        )
        expect(new Set(links.map(({ origin, copy }) => [origin, copy].sort().join()))).toEqual(new Set(expected))
      }),
    )
  })

  test('each group is in one guest once, and each copy comes from one of it', () => {
    fc.assert(
      fc.property(any, ([groups, routes]) => {
        const guests = guestsOf(family(...groups), routes, copyLinks(family(...groups), routes, []))
        const members = guests.flatMap(({ origin, copies }) => [origin, ...copies.map((copy) => copy.group)])
        expect(members.toSorted((a, b) => a - b)).toEqual(groups.map(({ id }) => id))
        for (const { origin, copies } of guests) {
          const own = new Set([origin, ...copies.map((copy) => copy.group)])
          expect(copies.every(({ group: id, copyOf }) => own.has(copyOf) && copyOf !== id)).toBe(true)
        }
      }),
    )
  })

  test('the order of the groups, of the jobs and of what is known does not matter', () => {
    fc.assert(
      fc.property(any, ([groups, routes]) => {
        const links = copyLinks(family(...groups), routes, [])
        const turned = copyLinks(family(...groups.toReversed()), routes.toReversed(), links.toReversed())
        const sorted = (of: ReadonlyArray<CopyLink>) => of.map((link) => JSON.stringify(link)).toSorted()
        expect(sorted(turned)).toEqual(sorted(links))
        const guests = (of: ReadonlyArray<CopyLink>, all: ReadonlyArray<GuestGroup>) =>
          guestsOf(family(...all), routes.toReversed(), of)
        expect(guests(turned, groups.toReversed())).toEqual(guests(links, groups))
      }),
    )
  })
})

describe('a guest keeps its id', () => {
  const copy = (id: number, copyOf: number) => ({ group: id, copyOf, job: null, behind: 0, since: null })
  const stored = [{ id: 50, origin: 1, server: 1 }]
  const none = new Map<number, number>()
  test.each([
    ['with its origin', [{ origin: 1, copies: [copy(2, 1)] }], [1, 2], none, [50], []],
    [
      'with a copy that becomes the origin',
      [{ origin: 2, copies: [copy(1, 2)] }],
      [1, 2],
      new Map([[2, 50]]),
      [50],
      [],
    ],
    ['with a copy whose origin has gone', [{ origin: 2, copies: [] }], [2], new Map([[2, 50]]), [50], []],
    [
      'with one of two copies',
      [
        { origin: 2, copies: [] },
        { origin: 3, copies: [] },
      ],
      [2, 3],
      new Map([
        [2, 50],
        [3, 50],
      ]),
      [50, null],
      [],
    ],
    ['in the place where its origin has moved', [{ origin: 9, copies: [] }], [9], none, [50], []],
    ['not on another server', [{ origin: 2, copies: [] }], [2], none, [null], [50]],
    [
      'not with a group next to its origin',
      [
        { origin: 1, copies: [] },
        { origin: 9, copies: [] },
      ],
      [1, 9],
      none,
      [50, null],
      [],
    ],
    ['not when nothing is left', [], [], none, [], [50]],
  ] as const)('%s', (_, found, ids, formerly, kept, gone) => {
    const groups = ids.map((id) => group(id, [], id === 9 ? { server: 1 } : {}))
    const result = keepGuests(found, groups, stored, formerly)
    expect([result.guests.map(({ id }) => id), result.gone]).toEqual([kept, gone])
  })
})

test('a guest counts its copies, and the servers that they and the origin are on', () => {
  const groups = [group(1, [], { server: 1 }), group(2, [], { server: 1 }), group(3, [], { server: 2 }), group(4, [])]
  const lag = (id: number, behind: number, since: number | null) => ({ group: id, copyOf: 1, job: null, behind, since })
  expect(copyCounts({ origin: 1, copies: [lag(2, 0, null), lag(3, 4, 70)] }, groups)).toEqual({
    ...{ copies: 2, servers: 2, laggingCopies: 1, pointsBehind: 4, lagSince: 70 },
  })
  expect(copyCounts({ origin: 4, copies: [] }, groups)).toEqual({
    ...{ copies: 0, servers: 1, laggingCopies: 0, pointsBehind: 0, lagSince: null },
  })
})
