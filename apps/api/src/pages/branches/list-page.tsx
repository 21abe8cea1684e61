import { branchKinds, branchStatuses } from '@netbox-pbs/core'
import { Branches } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { branchFilter } from '../../records/branch.ts'
import type { ApiContext } from '../../rest/caller.ts'
import { offsetPage } from '../../rest/envelope.ts'
import { addBranchPage, branchesPage } from '../../rest/page-paths.ts'
import { choice } from '../../rest/row.ts'
import { IgnoredParameters, WrongParameters } from '../components/alert.tsx'
import { branchKindWords } from '../components/badge.tsx'
import { FilterForm } from '../components/filter-form.tsx'
import { Layout, PageTitle } from '../components/layout.tsx'
import { Pager } from '../components/pager.tsx'
import { html } from '../serve-page.tsx'
import { forVisitor } from '../visitor-page.ts'
import { BranchTable } from './branch-table.tsx'

const selects = [
  { name: 'status', label: 'Status', options: branchStatuses.map(choice) },
  { name: 'kind', label: 'Kind', options: branchKinds.map((kind) => ({ value: kind, label: branchKindWords[kind] })) },
]

/** The branches, newest first. An invalid filter shows its error and an empty list. */
export const list = (c: ApiContext) =>
  forVisitor((viewer) =>
    Effect.gen(function* () {
      const parameters = new URL(c.req.url).searchParams
      const { limit, offset } = offsetPage(parameters)
      const branches = yield* Branches
      const {
        count: counted,
        rows,
        ignored,
        wrong,
      } = yield* branchFilter.read(parameters).pipe(
        Effect.flatMap(({ filter, ignored }) =>
          Effect.map(branches.list({ ...filter, limit, offset }), (page) => ({ ...page, ignored, wrong: null })),
        ),
        Effect.catchTag('HttpError', ({ body }) => Effect.succeed({ count: 0, rows: [], ignored: [], wrong: body })),
      )
      const count = counted ?? 0
      const filtered = [...parameters].some(([name, value]) => value !== '' && name !== 'limit' && name !== 'offset')
      return html(
        <Layout title="Branches" path={branchesPage} viewer={viewer}>
          <PageTitle title="Branches">
            {viewer.operates ? (
              <a class="btn btn-primary" href={addBranchPage}>
                Open a branch
              </a>
            ) : null}
          </PageTitle>
          {wrong === null ? null : <WrongParameters body={wrong} />}
          <IgnoredParameters names={ignored} />
          <div class="card">
            <div class="card-header">
              <FilterForm path={branchesPage} parameters={parameters} selects={selects} search="Search branches" />
            </div>
            <BranchTable branches={rows} empty={emptyText(count, filtered)} />
            <Pager path={branchesPage} parameters={parameters} count={count} limit={limit} offset={offset} />
          </div>
        </Layout>,
        wrong === null ? 200 : 400,
      )
    }),
  )(c)

function emptyText(count: number, filtered: boolean): string {
  if (count > 0) return 'The list ends before this page.'
  return filtered
    ? 'No branch matches.'
    : 'No branch yet. Open one to prepare changes, or let the settings have every run open one.'
}
