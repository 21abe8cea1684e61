import { branchedModels, changeActions, registry } from '@netbox-pbs/core'
import { Branches } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { branchChangeFilter } from '../../records/branch.ts'
import type { ApiContext } from '../../rest/caller.ts'
import { offsetPage } from '../../rest/envelope.ts'
import { branchPage } from '../../rest/page-paths.ts'
import { choice } from '../../rest/row.ts'
import { IgnoredParameters, WrongParameters } from '../components/alert.tsx'
import { FilterForm } from '../components/filter-form.tsx'
import { Pager } from '../components/pager.tsx'
import { html } from '../serve-page.tsx'
import { forVisitor } from '../visitor-page.ts'
import { BranchChanges } from './branch-changes.tsx'
import { BranchFrame, withBranch } from './branch-frame.tsx'

/** The models whose rows a branch may change, as choices of a filter. */
export const modelSelect = {
  name: 'object_type',
  label: 'Model',
  options: branchedModels.map((model) => ({ value: registry[model].objectType, label: registry[model].labelPlural })),
}

const selects = [modelSelect, { name: 'action', label: 'Change', options: changeActions.map(choice) }]

/**
 * The changes of a branch, with the values before and after. An invalid filter shows its error and
 * an empty list.
 */
export const changes = (c: ApiContext, id: number) =>
  forVisitor((viewer) =>
    withBranch(viewer, id, (branch) =>
      Effect.gen(function* () {
        const path = `${branchPage(id)}changes/`
        const parameters = new URL(c.req.url).searchParams
        const { limit, offset } = offsetPage(parameters)
        const branches = yield* Branches
        const { count, rows, ignored, wrong } = yield* branchChangeFilter.read(parameters).pipe(
          Effect.flatMap(({ filter, ignored }) =>
            Effect.map(branches.changes({ id, filter, limit, offset }), (page) => ({ ...page, ignored, wrong: null })),
          ),
          Effect.catchTag('HttpError', ({ body }) => Effect.succeed({ count: 0, rows: [], ignored: [], wrong: body })),
        )
        return html(
          <BranchFrame branch={branch} viewer={viewer} tab="changes" notice={null}>
            {wrong === null ? null : <WrongParameters body={wrong} />}
            <IgnoredParameters names={ignored} />
            <div class="card">
              <div class="card-header">
                <FilterForm path={path} parameters={parameters} selects={selects} search="Search by name" />
              </div>
              <BranchChanges
                branch={branch}
                changes={rows}
                empty={branch.changes === 0 ? 'This branch changes nothing.' : 'No change matches.'}
              />
              <Pager path={path} parameters={parameters} count={count} limit={limit} offset={offset} />
            </div>
          </BranchFrame>,
          wrong === null ? 200 : 400,
        )
      }),
    ),
  )(c)
