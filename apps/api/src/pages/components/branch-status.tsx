import type { Branch, BranchStatus } from '@netbox-pbs/core'
import { Badge } from './badge.tsx'

const colors: Readonly<Record<BranchStatus, string>> = {
  open: 'blue',
  in_review: 'orange',
  ready: 'green',
  merged: 'purple',
  no_changes: 'secondary',
  superseded: 'secondary',
  closed: 'secondary',
}

/** The state of a branch in its colour. */
export const BranchStatusBadge = ({ status }: Pick<Branch, 'status'>) => (
  <Badge color={colors[status]} label={status.replace('_', ' ')} />
)

/** Whose branch it is, in words. */
export const branchKindWords = { sync: 'Sync run', operator: 'User', revert: 'Revert' } as const
