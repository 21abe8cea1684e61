import { SettingsStore } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { branchOffers } from '../../branches/branch-offers.ts'
import type { Viewer } from '../components/viewer.ts'
import { html } from '../serve-page.tsx'
import { forVisitor } from '../visitor-page.ts'
import { BranchFrame, type Notice, withBranch } from './branch-frame.tsx'
import { BranchOverview } from './branch-overview.tsx'

/** A branch: its status and the actions it allows. */
export const overview = (id: number) => forVisitor((viewer) => drawOverview(viewer, id))

/** The same, with the result of a form. */
export const drawOverview = (viewer: Viewer, id: number, notice: Notice | null = null) =>
  withBranch(viewer, id, (branch) =>
    Effect.gen(function* () {
      const { branch_approval_required: approval } = yield* (yield* SettingsStore).get()
      const offers = branchOffers(branch, { username: viewer.username, approval })
      return html(
        <BranchFrame branch={branch} viewer={viewer} tab="overview" notice={notice}>
          <BranchOverview branch={branch} offers={offers} viewer={viewer} />
        </BranchFrame>,
        notice?.status ?? 200,
      )
    }),
  )
