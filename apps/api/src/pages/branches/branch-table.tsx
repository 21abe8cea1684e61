import type { Branch } from '@netbox-pbs/core'
import { branchPage } from '../../rest/page-paths.ts'
import { BranchStatusBadge, branchKindWords } from '../components/badge.tsx'
import { DataTable, type TableColumn } from '../components/data-table.tsx'
import { formatCount } from '../components/format.ts'
import { Time } from '../components/time.tsx'

/** Time and author of an action; without an author, a schedule did it. */
const When = ({ time, by }: { time: string; by: string }) => (
  <>
    <Time time={time} />
    {by === '' ? null : <div class="text-secondary netbox-pbs-break">by {by}</div>}
  </>
)

const columns: ReadonlyArray<TableColumn<Branch>> = [
  {
    head: 'Branch',
    kind: 'prose',
    title: true,
    cell: ({ id, name, description }) => (
      <>
        <a class="fw-medium" href={branchPage(id)}>
          {name}
        </a>
        {description === '' ? null : <div class="text-secondary">{description}</div>}
      </>
    ),
  },
  { head: 'Status', cell: ({ status }) => <BranchStatusBadge status={status} /> },
  { head: 'Kind', cell: ({ kind }) => branchKindWords[kind] },
  { head: 'Changes', kind: 'number', cell: ({ changes }) => formatCount(changes) },
  { head: 'Conflicts', kind: 'number', cell: ({ conflicts }) => formatCount(conflicts) },
  { head: 'Opened', kind: 'name', cell: ({ created, user }) => <When time={created} by={user} /> },
  {
    head: 'Merged',
    kind: 'name',
    cell: ({ merged, merged_by }) => (merged === null ? null : <When time={merged} by={merged_by} />),
  },
]

/** Branches, newest first; `empty` is shown when there are none. */
export const BranchTable = ({ branches, empty }: { branches: ReadonlyArray<Branch>; empty: string }) => (
  <DataTable caption="Branches" columns={columns} rows={branches} empty={empty} />
)
