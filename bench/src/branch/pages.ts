import type { ListQuery } from '@netbox-pbs/core'
import type { InventoryLists } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'

type Lists = InventoryLists['Type']

const everything = { model: 'snapshot', filters: [], search: null, order: [] } as const

/** The lists that are read in a branch and on main. */
export function pagesOf(snapshots: number): ReadonlyArray<readonly [title: string, query: ListQuery<'snapshot'>]> {
  const list = everything
  const offset = Math.floor(snapshots * 0.9)
  return [
    ['page', { ...list, page: { _tag: 'offset', limit: 50, offset: 0 } }],
    ['page_deep', { ...list, page: { _tag: 'offset', limit: 50, offset } }],
    [
      'page_newest',
      { ...list, order: [{ field: 'backup_time', descending: true }], page: { _tag: 'offset', limit: 50, offset: 0 } },
    ],
    [
      'page_largest',
      { ...list, order: [{ field: 'size_bytes', descending: true }], page: { _tag: 'offset', limit: 50, offset: 0 } },
    ],
    [
      'count',
      {
        ...list,
        filters: [{ field: 'verification_state', lookup: 'exact', values: ['ok'] }],
        page: { _tag: 'offset', limit: 1, offset: 0 },
      },
    ],
  ]
}

/**
 * The lists that a person and a client read first of a newly filled branch, before the planner has
 * statistics of it.
 */
export const coldPages: ReadonlyArray<readonly [title: string, query: ListQuery<'snapshot'>]> = [
  ['cold_page', { ...everything, page: { _tag: 'offset', limit: 50, offset: 0 } }],
  ['cold_cursor', { ...everything, page: { _tag: 'cursor', limit: 1000, start: 0 } }],
  [
    'cold_comment',
    {
      ...everything,
      filters: [{ field: 'comment', lookup: 'exact', values: ['changed 0'] }],
      page: { _tag: 'offset', limit: 50, offset: 0 },
    },
  ],
]

const rounds = 9

/** Seconds that a list takes in a branch and on main, alternately: the median of nine rounds after a warm-up. */
export const secondsOfPage = (query: ListQuery<'snapshot'>, overlay: Lists, main: Lists) =>
  Effect.gen(function* () {
    const taken: { readonly overlay: Array<number>; readonly main: Array<number> } = { overlay: [], main: [] }
    for (let round = 0; round <= rounds; round++) {
      const inBranch = yield* secondsOf(overlay.list(query))
      const onMain = yield* secondsOf(main.list(query))
      if (round === 0) continue
      taken.overlay.push(inBranch)
      taken.main.push(onMain)
    }
    return { overlay: middle(taken.overlay), main: middle(taken.main) }
  })

/** Seconds that an effect takes. */
export const secondsOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> =>
  Effect.gen(function* () {
    const begun = performance.now()
    yield* effect
    return (performance.now() - begun) / 1000
  })

/** The middle one of some measurements. */
export const middle = (seconds: ReadonlyArray<number>): number =>
  seconds.toSorted((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? Number.NaN
