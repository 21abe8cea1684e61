import { type Model, registry } from '@netbox-pbs/core'
import type { Row } from '../../rest/row.ts'
import { columnLabel } from './cell.tsx'
import { LinkedCell, RowCell } from './row-cell.tsx'
import type { PageBranch } from './viewer.ts'

/** The newest tasks below a row. */
export interface LatestTasksProps {
  readonly rows: ReadonlyArray<Row>
  /** Where all of them are. */
  readonly href: string
  /** The branch that the links to them keep. */
  readonly branch: PageBranch
}

const model: Model = registry.task
const [linked, ...columns] = ['worker_type', 'starttime', 'duration', 'outcome'].flatMap((name) => {
  const field = model.fields[name]
  return field === undefined ? [] : [{ name, field }]
})

/** The latest tasks of a page's object, and how they ended. */
export const LatestTasks = ({ rows, href, branch }: LatestTasksProps) =>
  rows.length === 0 || linked === undefined ? null : (
    <section class="card">
      <div class="card-header">
        <h2 class="card-title">
          <a href={href}>Latest tasks</a>
        </h2>
      </div>
      <div class="table-responsive">
        <table class="table table-vcenter card-table">
          <thead>
            <tr>
              {[linked, ...columns].map(({ field }) => (
                <th scope="col">{columnLabel(field)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr>
                <td>
                  <LinkedCell model={model} {...linked} row={row} branch={branch} />
                </td>
                {columns.map((column) => (
                  <td>
                    <RowCell model={model} {...column} row={row} branch={branch} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
