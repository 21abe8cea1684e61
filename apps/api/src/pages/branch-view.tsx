import { type ModelName, registry } from '@netbox-pbs/core'
import { Effect } from 'effect'
import { inBranch, namedBranch } from '../branches/named-branch.ts'
import { type BranchPlace, placeOf } from '../rest/branch-place.ts'
import type { ApiContext } from '../rest/caller.ts'
import { branchesPage } from '../rest/page-paths.ts'
import type { BranchBannerProps } from './components/layout.tsx'
import type { PageBranch, Viewer } from './components/viewer.ts'
import { noBranch, notForSomeServers } from './error-pages.tsx'
import { html, type Page } from './serve-page.tsx'

/**
 * A page of the inventory in the branch that its address names, as the REST path of the same rows
 * reads it. A branch that does not exist or has ended is an error page; main is never shown for it.
 */
export const branchView = (
  c: ApiContext,
  { viewer, place }: { readonly viewer: Viewer; readonly place: Exclude<BranchPlace, 'any'> },
  page: (branch: PageBranch) => Page,
): Page =>
  Effect.gen(function* () {
    const branch = yield* namedBranch(c)
    if (branch !== null && viewer.servers !== null) return html(notForSomeServers(viewer, branchesPage), 403)
    return yield* branch === null || place === 'main' ? page(branch) : inBranch(branch, page(branch))
  }).pipe(
    Effect.catchTag('HttpError', ({ body }) =>
      Effect.succeed(html(noBranch(viewer, branchesPage, sentenceOf(body)), 400)),
    ),
  )

/** The banner of an inventory page in a branch; null: the page is main's. `path` is the page in main. */
export const branchBanner = (model: ModelName, branch: PageBranch, path: string): BranchBannerProps | null =>
  branch === null
    ? null
    : { branch, out: path, branched: placeOf(model) === 'branch', what: registry[model].labelPlural }

const sentenceOf = (body: object): string => ('detail' in body ? String(body.detail) : '')
