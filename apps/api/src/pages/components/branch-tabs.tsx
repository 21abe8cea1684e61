import type { Branch } from '@netbox-pbs/core'
import { branchPage } from '../../rest/page-paths.ts'
import { formatCount } from './format.ts'

/** The parts of a branch's page. */
export type BranchTab = 'overview' | 'changes' | 'conflicts'

/** Leads from one part of a branch's page to the others. */
export const BranchTabs = ({ branch, tab }: { branch: Branch; tab: BranchTab }) => (
  <ul class="nav nav-tabs mb-3" aria-label="Parts of this branch">
    <Tab href={branchPage(branch.id)} label="Branch" active={tab === 'overview'} />
    <Tab
      href={`${branchPage(branch.id)}changes/`}
      label="Changes"
      count={branch.changes}
      active={tab === 'changes'}
      color="secondary"
    />
    <Tab
      href={`${branchPage(branch.id)}conflicts/`}
      label="Conflicts"
      count={branch.conflicts}
      active={tab === 'conflicts'}
      color={branch.conflicts > 0 ? 'orange' : 'secondary'}
    />
  </ul>
)

const Tab = (props: { href: string; label: string; active: boolean; count?: number; color?: string }) => (
  <li class="nav-item">
    <a
      class={props.active ? 'nav-link active' : 'nav-link'}
      href={props.href}
      aria-current={props.active ? 'page' : undefined}
    >
      {props.label}
      {props.count === undefined ? null : (
        <span class={`badge netbox-pbs-badge netbox-pbs-${props.color} ms-2`}>{formatCount(props.count)}</span>
      )}
    </a>
  </li>
)
