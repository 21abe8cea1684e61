import type { Branch } from '@netbox-pbs/core'
import { branchPage } from '../../rest/page-paths.ts'

/** The branch that a page is inside of. */
export interface BranchBannerProps {
  readonly branch: Pick<Branch, 'id' | 'name' | 'schema_id'>
  /** The same page in main. */
  readonly out: string
  /** What the page shows, and whether that is branched: else it is main's here too. */
  readonly what: string
  readonly branched: boolean
}

/** Says that a page is not main's, where its changes are, and the way out. */
export const BranchBanner = ({ branch, out, what, branched }: BranchBannerProps) => (
  <div class="alert alert-info netbox-pbs-banner" role="status">
    <div class="netbox-pbs-break">
      You are in branch{' '}
      <a class="alert-link" href={branchPage(branch.id)}>
        {branch.name}
      </a>
      . {branched ? 'What it changes is not in main yet.' : `${what} are not branched: these are main’s.`}
    </div>
    <a class="btn btn-sm" href={out}>
      Leave the branch
    </a>
  </div>
)
