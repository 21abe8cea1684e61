import { type Branch, type BranchAction, branchAllows } from '@netbox-pbs/core'

const offered = ['check', 'sync', 'approve', 'merge', 'close', 'revert'] as const satisfies ReadonlyArray<BranchAction>

/** An action that a user can take on a branch as a whole. */
export type OfferedAction = (typeof offered)[number]

/** An action of a branch. `why` is the reason why it is not available, null if it is. */
export interface BranchOffer {
  readonly action: OfferedAction
  readonly why: string | null
}

/** The user, and whether the settings require an approval before a merge. */
export interface BranchViewer {
  readonly username: string
  readonly approval: boolean
}

/**
 * The actions that the status of a branch allows, with a reason for each that its last comparison with
 * main prevents. The action itself checks again.
 */
export const branchOffers = (branch: Branch, viewer: BranchViewer): ReadonlyArray<BranchOffer> =>
  offered
    .filter((action) => branchAllows(branch, action))
    .map((action) => ({ action, why: whyNot(action, branch, viewer) }))

function whyNot(action: OfferedAction, branch: Branch, viewer: BranchViewer): string | null {
  switch (action) {
    case 'sync':
      return waiting(branch)
    case 'approve':
      return whyNotApprove(branch, viewer)
    case 'merge':
      return whyNotMerge(branch, viewer)
    case 'check':
    case 'close':
    case 'revert':
      return null
  }
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
