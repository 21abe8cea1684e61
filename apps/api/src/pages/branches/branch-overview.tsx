import type { Branch } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import type { BranchOffer } from '../../branches/branch-offers.ts'
import { branchPage, runPage } from '../../rest/page-paths.ts'
import { BranchStatusBadge, branchKindWords } from '../components/badge.tsx'
import { Nothing } from '../components/cell.tsx'
import { formatCount, formatTime } from '../components/format.ts'
import type { Viewer } from '../components/viewer.ts'
import { BranchActions } from './offered-actions.tsx'

/** A branch: its description, its status, and the actions it allows. */
export const BranchOverview = (props: { branch: Branch; offers: ReadonlyArray<BranchOffer>; viewer: Viewer }) => {
  const { branch } = props
  const conflicts = `${formatCount(branch.conflicts)} unresolved`
  return (
    <div class="row row-cards">
      <div class="col-lg-6">
        <section class="card">
          <div class="card-header">
            <h2 class="card-title">Branch</h2>
          </div>
          <table class="table card-table netbox-pbs-attributes">
            <tbody>
              <Line title="Status">
                <BranchStatusBadge status={branch.status} />
              </Line>
              <Line title="Kind">{branchKindWords[branch.kind]}</Line>
              <Line title="Description">{branch.description === '' ? <Nothing /> : branch.description}</Line>
              <Line title="Opened">
                {formatTime(branch.created)}
                {branch.user === '' ? '' : ` by ${branch.user}`}
              </Line>
              {branch.run_id === null ? null : (
                <Line title="Opened by">
                  <a href={runPage(branch.run_id)}>Run {branch.run_id}</a>
                </Line>
              )}
              {branch.reverts === null ? null : (
                <Line title="Undoes">
                  <a href={branchPage(branch.reverts)}>Branch {branch.reverts}</a>
                </Line>
              )}
              <Line title="Changes">{formatCount(branch.changes)}</Line>
              <Line title="Conflicts">
                {branch.checked === null && branch.merged === null ? 'Not compared with main yet' : conflicts}
              </Line>
              <Line title="Compared with main">
                {branch.checked === null ? <Nothing /> : formatTime(branch.checked)}
              </Line>
              <Line title="Approved">{approvalOf(branch)}</Line>
              {branch.merged === null ? null : (
                <Line title="Merged">
                  {formatTime(branch.merged)}
                  {branch.merged_by === '' ? '' : ` by ${branch.merged_by}`}
                </Line>
              )}
              <Line title="Name for clients">
                <code>{branch.schema_id}</code>
                <div class="text-secondary">
                  In the header <code>X-NetBox-Branch</code> or the parameter <code>_branch</code>
                </div>
              </Line>
            </tbody>
          </table>
        </section>
      </div>
      <div class="col-lg-6">
        <BranchActions {...props} />
      </div>
    </div>
  )
}

const Line = ({ title, children }: { title: string; children?: Child }) => (
  <tr>
    <th scope="row">{title}</th>
    <td class="netbox-pbs-break">{children}</td>
  </tr>
)

function approvalOf({ approved, approved_by: by, approved_at: at }: Branch): Child {
  if (at === null) return <Nothing />
  const when = `${formatTime(at)} by ${by}`
  return approved ? when : `${when}, but it has changed since`
}
