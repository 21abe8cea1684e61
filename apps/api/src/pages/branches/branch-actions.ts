import { Branches } from '@netbox-pbs/core/ports'
import { now } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import type { OfferedAction } from '../../branches/branch-offers.ts'
import { readApproval, readCommit, readRevert } from '../../branches/read-branch-request.ts'
import { requestMerge } from '../../branches/request-merge.ts'
import { branchPage } from '../../rest/page-paths.ts'
import { formatCount } from '../components/format.ts'
import type { Viewer } from '../components/viewer.ts'
import { type Form, seeOther } from '../serve-page.tsx'
import { forOperatorForm } from '../visitor-page.ts'
import { drawOverview } from './overview-page.tsx'
import { renderError } from './render-error.ts'

/** A sent form of a branch's page: the user and the fields. */
interface Sent {
  readonly id: number
  readonly viewer: Viewer
  readonly form: Form
  readonly requestId: string
}

/**
 * Performs the action of a branch's form and leads back to the branch; its page shows the result of
 * a dry run, or the error.
 */
export const act = (action: keyof typeof handlers, id: number) =>
  forOperatorForm((viewer, form, requestId) =>
    renderError(viewer, id, handlers[action]({ id, viewer, form, requestId })),
  )

const handlers = {
  check: ({ id }: Sent) =>
    Effect.gen(function* () {
      const { conflicts } = yield* (yield* Branches).check({ id })
      return seeOther(conflicts > 0 ? `${branchPage(id)}conflicts/` : branchPage(id))
    }),
  sync: ({ id, viewer, form, requestId }: Sent) =>
    Effect.gen(function* () {
      const commit = yield* committed(form)
      const { changes, conflicts } = yield* (yield* Branches).sync({ id, commit, by: byOf(viewer, requestId) })
      if (commit) return seeOther(branchPage(id))
      return yield* dryRun(viewer, id, `it would change ${objects(changes)}, with ${formatCount(conflicts)} conflicts`)
    }),
  merge: ({ id, viewer, form, requestId }: Sent) =>
    Effect.gen(function* () {
      const commit = yield* committed(form)
      const { counts, skipped } = yield* requestMerge({ id, commit, by: byOf(viewer, requestId) })
      if (commit) return seeOther(branchPage(id))
      const { created, updated, deleted } = counts
      const done = `create ${objects(created)}, update ${objects(updated)} and delete ${objects(deleted)}`
      return yield* dryRun(viewer, id, `it would ${done}${skipped === 0 ? '' : `, and leave out ${objects(skipped)}`}`)
    }),
  approve: ({ id, viewer, form: { revision = '' }, requestId }: Sent) =>
    Effect.gen(function* () {
      // A form without a revision shows no branch, so it approves revision 0, which none has.
      const looked = yield* readApproval({ revision: /^\d{1,15}$/.test(revision) ? Number(revision) : undefined })
      const at = yield* now
      yield* (yield* Branches).approve({
        id,
        revision: looked,
        user: viewer.username,
        by: byOf(viewer, requestId),
        at,
      })
      return seeOther(branchPage(id))
    }),
  revert: ({ id, viewer, form, requestId }: Sent) =>
    Effect.gen(function* () {
      const commit = yield* committed(form)
      const { name } = yield* readRevert({ name: form['name'] ?? '' })
      const by = byOf(viewer, requestId)
      const request = { id, name: name ?? '', user: viewer.username, by, commit }
      const branch = yield* (yield* Branches).revert(request)
      if (commit) return seeOther(branchPage(branch.id))
      const { changes, conflicts } = branch
      return yield* dryRun(
        viewer,
        id,
        `a branch would change ${objects(changes)}, with ${formatCount(conflicts)} conflicts`,
      )
    }),
  close: ({ id, viewer, requestId }: Sent) =>
    Effect.gen(function* () {
      yield* (yield* Branches).close({ id, status: 'closed', by: byOf(viewer, requestId) })
      return seeOther(branchPage(id))
    }),
} satisfies Record<OfferedAction, unknown>

const byOf = ({ username }: Viewer, requestId: string) => ({ user: username, requestId })

/** Only the button of a dry run says so. */
const committed = ({ commit }: Form) =>
  readCommit(commit === undefined ? {} : { commit: commit === 'false' ? false : commit })

const dryRun = (viewer: Viewer, id: number, what: string) =>
  drawOverview(viewer, id, { kind: 'info', text: `Dry run, nothing was changed: ${what}.`, status: 200 })

const objects = (count: number): string => (count === 1 ? '1 object' : `${formatCount(count)} objects`)
