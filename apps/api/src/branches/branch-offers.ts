import { type Branch, openStatuses } from '@netbox-pbs/core'

/** An action that a user can take on a branch. */
export type BranchAction = 'check' | 'sync' | 'merge' | 'approve' | 'revert' | 'close'

/** An action of a branch. `why` is the reason why it is not available, null if it is. */
export interface BranchOffer {
  readonly action: BranchAction
  readonly why: string | null
}

/** The user, and whether the settings require an approval before a merge. */
export interface BranchViewer {
  readonly username: string
  readonly approval: boolean
}

/** The actions of a branch by its last comparison with main, with a reason for each that is not available. The action itself checks again. */
export function branchOffers(branch: Branch, viewer: BranchViewer): ReadonlyArray<BranchOffer> {
  if (branch.status === 'merged') return [{ action: 'revert', why: null }]
  if (!openStatuses.includes(branch.status)) return []
  return [
    { action: 'check', why: null },
    { action: 'sync', why: waiting(branch) },
    { action: 'approve', why: whyNotApprove(branch, viewer) },
    { action: 'merge', why: whyNotMerge(branch, viewer) },
    { action: 'close', why: null },
  ]
}

const waiting = ({ conflicts }: Branch): string | null =>
  conflicts === 0 ? null : conflicts === 1 ? 'Resolve 1 conflict first.' : `Resolve ${conflicts} conflicts first.`

function whyNotApprove({ user, approved, approved_by, changes }: Branch, { username }: BranchViewer): string | null {
  if (approved) return `${approved_by} approved the current revision.`
  if (changes === 0) return 'The branch changes nothing.'
  return user === username ? 'You opened this branch: another user has to approve it.' : null
}

function whyNotMerge(branch: Branch, { approval }: BranchViewer): string | null {
  if (branch.changes === 0) return 'The branch changes nothing.'
  const conflicts = waiting(branch)
  if (conflicts !== null) return conflicts
  return approval && !branch.approved ? 'A user other than the author has to approve it first.' : null
}
