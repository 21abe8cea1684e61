import type { Branch } from '@netbox-pbs/core'
import { branchPage } from '../../rest/page-paths.ts'
import { BranchStatusBadge, branchKindWords } from './badge.tsx'
import { Nothing } from './cell.tsx'
import { EmptyRow } from './empty-row.tsx'
import { formatCount, formatTime } from './format.ts'

const heads = ['Branch', 'Status', 'Kind', 'Changes', 'Conflicts', 'Opened', 'Merged'] as const
const numbers: ReadonlyArray<string> = ['Changes', 'Conflicts']

/** Time and author of an action; without an author, a schedule did it. */
const When = ({ time, by }: { time: string; by: string }) => (
  <>
    <time class="text-nowrap" datetime={time}>
      {formatTime(time)}
    </time>
    {by === '' ? null : <div class="text-secondary netbox-pbs-break">by {by}</div>}
  </>
)

/** Branches, newest first; `empty` is shown when there are none. */
export const BranchTable = ({ branches, empty }: { branches: ReadonlyArray<Branch>; empty: string }) => (
  <div class="table-responsive">
    <table class="table table-vcenter card-table table-hover netbox-pbs-list">
      <caption class="visually-hidden">Branches</caption>
      <thead>
        <tr>
          {heads.map((head) => (
            <th scope="col" class={numbers.includes(head) ? 'text-end' : undefined}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {branches.map((branch) => (
          <tr>
            <td class="netbox-pbs-break">
              <a class="fw-medium" href={branchPage(branch.id)}>
                {branch.name}
              </a>
              {branch.description === '' ? null : (
                <div class="text-secondary netbox-pbs-clip">{branch.description}</div>
              )}
            </td>
            <td>
              <BranchStatusBadge status={branch.status} />
            </td>
            <td class="text-nowrap">{branchKindWords[branch.kind]}</td>
            <td class="text-end">{formatCount(branch.changes)}</td>
            <td class="text-end">{formatCount(branch.conflicts)}</td>
            <td>
              <When time={branch.created} by={branch.user} />
            </td>
            <td>{branch.merged === null ? <Nothing /> : <When time={branch.merged} by={branch.merged_by} />}</td>
          </tr>
        ))}
        {branches.length === 0 ? <EmptyRow columns={heads.length}>{empty}</EmptyRow> : null}
      </tbody>
    </table>
  </div>
)
