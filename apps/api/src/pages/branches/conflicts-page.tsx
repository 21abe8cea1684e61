import { type Branch, branchAllows, conflictKinds, scopeTitle } from '@netbox-pbs/core'
import { Branches } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { conflictFilter } from '../../records/branch.ts'
import type { ApiContext } from '../../rest/caller.ts'
import { offsetPage } from '../../rest/envelope.ts'
import { branchPage } from '../../rest/page-paths.ts'
import { IgnoredParameters, WrongParameters } from '../components/alert.tsx'
import { FilterChips, FilterForm } from '../components/filter-form.tsx'
import { Pager } from '../components/pager.tsx'
import type { Viewer } from '../components/viewer.ts'
import { html } from '../serve-page.tsx'
import { forVisitor } from '../visitor-page.ts'
import { BranchFrame, type Notice, withBranch } from './branch-frame.tsx'
import { modelSelect } from './changes-page.tsx'
import { conflictWords } from './conflict-kind.ts'
import { ConflictTable } from './conflict-table.tsx'
import { ResolveAll } from './resolve-all.tsx'

const selects = [
  {
    name: 'resolved',
    label: 'Answers',
    options: [
      { value: 'false', label: 'Unresolved' },
      { value: 'true', label: 'Answered' },
    ],
  },
  {
    name: 'kind',
    label: 'Kind',
    options: conflictKinds.map((kind) => ({ value: kind, label: conflictWords[kind].label })),
  },
  modelSelect,
]

/** The conflicts of a branch, and the forms that answer them. */
export const conflicts = (c: ApiContext, id: number) =>
  forVisitor((viewer) => drawConflicts(viewer, id, new URL(c.req.url).searchParams))(c)

/** The same, with the result of a form. An invalid filter shows its error and an empty list. */
export const drawConflicts = (viewer: Viewer, id: number, parameters: URLSearchParams, notice: Notice | null = null) =>
  withBranch(viewer, id, (branch) =>
    Effect.gen(function* () {
      const path = `${branchPage(id)}conflicts/`
      const { limit, offset } = offsetPage(parameters)
      const branches = yield* Branches
      const {
        count: counted,
        rows,
        ignored,
        wrong,
      } = yield* conflictFilter.read(parameters).pipe(
        Effect.flatMap(({ filter, ignored }) =>
          Effect.map(branches.conflicts({ id, filter, limit, offset }), (page) => ({ ...page, ignored, wrong: null })),
        ),
        Effect.catchTag('HttpError', ({ body }) => Effect.succeed({ count: 0, rows: [], ignored: [], wrong: body })),
      )
      const count = counted ?? 0
      const formToken = viewer.operates && branchAllows(branch, 'resolve') ? viewer.formToken : null
      const title = rows[0]?.scope ? scopeTitle(rows[0].scope) : null
      return html(
        <BranchFrame branch={branch} viewer={viewer} tab="conflicts" notice={notice}>
          {wrong === null ? null : <WrongParameters body={wrong} />}
          <IgnoredParameters names={ignored} />
          <FilterChips chips={chips(path, parameters, title)} path={path} />
          <div class="card">
            <div class="card-header">
              <FilterForm path={path} parameters={parameters} selects={selects} />
            </div>
            {formToken === null || count === 0 ? null : (
              <div class="card-header">
                <ResolveAll {...{ branch, count, path, parameters, formToken }} />
              </div>
            )}
            <ConflictTable
              {...{ branch, path, parameters, formToken }}
              conflicts={rows}
              empty={emptyText(branch, parameters)}
            />
            <Pager path={path} parameters={parameters} count={count} limit={limit} offset={offset} />
          </div>
        </BranchFrame>,
        notice?.status ?? (wrong === null ? 200 : 400),
      )
    }),
  )

/** The filters that no list of choices shows: a field, and a scope, of which a listed conflict gives the words. */
function chips(path: string, parameters: URLSearchParams, scope: string | null) {
  return [...parameters]
    .filter(([name, value]) => (name === 'field' || name === 'scope') && value !== '')
    .map(([name, value]) => {
      const without = new URLSearchParams(parameters)
      without.delete(name)
      without.delete('offset')
      const label = name === 'field' ? 'Field' : 'Scope'
      return { label, value: name === 'scope' ? (scope ?? value) : value, without: `${path}?${without}` }
    })
}

function emptyText({ checked }: Branch, parameters: URLSearchParams): string {
  if ([...parameters.values()].some((value) => value !== '')) return 'No conflict matches.'
  return checked === null ? 'The branch has not been compared with main yet.' : 'No conflicts.'
}
