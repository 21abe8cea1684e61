import type { Branch } from '@netbox-pbs/core'
import { Effect } from 'effect'
import { branchById } from '../../branches/find-branch.ts'
import { branchesPage } from '../../rest/page-paths.ts'
import type { Viewer } from '../components/viewer.ts'
import { notFound } from '../error-pages.tsx'
import { html } from '../html.ts'
import type { Page } from '../serve-page.tsx'

/** A page about a branch; one that is not there is a page too. */
export const withBranch = (viewer: Viewer, id: number, page: (branch: Branch) => Page): Page =>
  branchById(id).pipe(
    Effect.flatMap(page),
    Effect.catchTag('BranchNotFound', () =>
      Effect.succeed(html(notFound(viewer, branchesPage, `Branch ${id}`, branchesPage), 404)),
    ),
  )
