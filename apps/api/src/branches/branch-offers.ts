import { type Branch, openStatuses } from '@netbox-pbs/core'

/** What a person can do to a branch. */
export type BranchAction = 'check' | 'sync' | 'merge' | 'approve' | 'revert' | 'close'

/** Something that the state of a branch offers. `why`: what stands in the way; null: nothing does. */
export interface BranchOffer {
  readonly action: BranchAction
  readonly why: string | null
}

/** Who asks, and whether the settings want an approval before a merge. */
export interface Asking {
  readonly username: string
  readonly approval: boolean
}

/** What can be done to a branch as it was last compared with main, and why not what cannot. The doing itself asks again. */
export function branchOffers(branch: Branch, asking: Asking): ReadonlyArray<BranchOffer> {
  if (branch.status === 'merged') return [{ action: 'revert', why: null }]
  if (!openStatuses.includes(branch.status)) return []
  return [
    { action: 'check', why: null },
    { action: 'sync', why: waiting(branch) },
    { action: 'approve', why: whyNotApprove(branch, asking) },
    { action: 'merge', why: whyNotMerge(branch, asking) },
    { action: 'close', why: null },
  ]
}

const waiting = ({ conflicts }: Branch): string | null =>
  conflicts === 0
    ? null
    : `${conflicts === 1 ? '1 conflict waits' : `${conflicts} conflicts wait`} for an answer: resolve them first.`

function whyNotApprove({ user, approved, approved_by, changes }: Branch, { username }: Asking): string | null {
  if (approved) return `${approved_by} has approved it as it is now.`
  if (changes === 0) return 'It changes nothing.'
  return user === username ? 'It is yours: somebody else has to approve it.' : null
}

function whyNotMerge(branch: Branch, { approval }: Asking): string | null {
  if (branch.changes === 0) return 'It changes nothing.'
  const conflicts = waiting(branch)
  if (conflicts !== null) return conflicts
  return approval && !branch.approved ? 'Somebody other than its author has to approve it first.' : null
}
