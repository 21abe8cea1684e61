import type { Branch } from '@netbox-pbs/core'
import { maxBranchName } from './read-branch-request.ts'

/** What a branch that undoes another is called unless somebody says otherwise: `revert-pbs-sync-17-…`, cut to what a name may be. */
export const revertName = ({ name }: Pick<Branch, 'name'>): string => `revert-${name}`.slice(0, maxBranchName)
