import type { ModelName } from '@netbox-pbs/core'
import { Branches, HeldDeletionsStore, InventoryLists } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { branchesPage, heldPage, listPage } from '../rest/page-paths.ts'
import type { MenuBadge, Viewer } from './components/viewer.ts'

/** What is wrong, for the menu: servers and jobs that fail, deletions and branches that wait for a person. */
export const menuBadges = ({ servers }: Pick<Viewer, 'servers'>) =>
  Effect.gen(function* () {
    const unreachable = yield* countOf('server', 'status', ['unreachable'])
    const failing = yield* countOf('job', 'health', ['missed', 'failing'])
    const held = yield* (yield* HeldDeletionsStore).waiting()
    const inReview = servers === null ? yield* branchesInReview : 0
    const badges: ReadonlyArray<readonly [string, MenuBadge]> = [
      [listPage('server'), { count: unreachable, color: 'red', title: 'unreachable' }],
      [listPage('job'), { count: failing, color: 'orange', title: 'missed or failing' }],
      [heldPage, { count: held, color: 'orange', title: 'waiting' }],
      [branchesPage, { count: inReview, color: 'orange', title: 'in review' }],
    ]
    return new Map(badges.filter(([, { count }]) => count > 0))
  })

const countOf = (model: ModelName, field: string, values: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { count } = yield* (yield* InventoryLists).list({
      model,
      filters: [{ field, lookup: 'exact', values }],
      search: null,
      order: [],
      page: { _tag: 'offset', limit: 1, offset: 0 },
    })
    return count ?? 0
  })

const branchesInReview = Effect.gen(function* () {
  const { count } = yield* (yield* Branches).list({ statuses: ['in_review'], limit: 1, offset: 0 })
  return count ?? 0
})
