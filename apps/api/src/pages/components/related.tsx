import { formatCount } from './format.ts'

/** A list that lies below a row. */
export interface RelatedList {
  readonly label: string
  readonly href: string
  readonly count: number
}

/** Links from a row to the lists below it, with how many rows each has. */
export const Related = ({ lists }: { lists: ReadonlyArray<RelatedList> }) =>
  lists.length === 0 ? null : (
    <section class="card">
      <div class="card-header">
        <h2 class="card-title">Related</h2>
      </div>
      <div class="list-group list-group-flush">
        {lists.map(({ label, href, count }) => (
          <a class="list-group-item list-group-item-action d-flex justify-content-between" href={href}>
            {label}
            <span class="badge netbox-pbs-badge netbox-pbs-secondary">{formatCount(count)}</span>
          </a>
        ))}
      </div>
    </section>
  )
