import { Branches } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { readNewBranch } from '../../branches/read-branch-request.ts'
import { addBranchPage, branchesPage, branchPage } from '../../rest/page-paths.ts'
import { Layout, PageTitle } from '../components/layout.tsx'
import type { Viewer } from '../components/viewer.ts'
import { type Form, html, seeOther } from '../serve-page.tsx'
import { forOperator, forOperatorForm } from '../visitor-page.ts'
import { BranchForm, type BranchFormProps } from './branch-form.tsx'

/** The form that opens a branch. */
export const emptyForm = forOperator((viewer) => Effect.succeed(draw(viewer, {}, {})))

/** Opens a branch and leads there. */
export const add = forOperatorForm((viewer, { name = '', description = '' }, requestId) =>
  Effect.gen(function* () {
    const request = yield* readNewBranch({ name, description })
    const user = viewer.username
    const branches = yield* Branches
    const by = { user, requestId }
    const { id } = yield* branches.create({ ...request, kind: 'operator', user, by, runId: null, review: false })
    return seeOther(branchPage(id))
  }).pipe(
    Effect.catchTags({
      HttpError: ({ body }) => Effect.succeed(draw(viewer, { name, description }, errorsOf(body), 400)),
      BranchNameTaken: ({ message }) =>
        Effect.succeed(draw(viewer, { name, description }, { name: [`${message}.`] }, 400)),
    }),
  ),
)

const errorsOf = (body: object): BranchFormProps['errors'] =>
  Object.fromEntries(Object.entries(body).map(([field, texts]) => [field, [texts].flat().map(String)]))

const draw = (viewer: Viewer, values: Form, errors: BranchFormProps['errors'], status = 200): Response =>
  html(
    <Layout title="Open a branch" path={addBranchPage} viewer={viewer}>
      <PageTitle title="Open a branch" crumbs={[{ href: branchesPage, label: 'Branches' }]} />
      <BranchForm formToken={viewer.formToken} values={values} errors={errors} />
    </Layout>,
    status,
  )
