/** A filter that narrows a list. */
export interface Chip {
  readonly label: string
  readonly value: string
  /** The list without it. */
  readonly without: string
}

/** The filters of a list; each can be taken off, and all of them. */
export const FilterChips = ({ chips, path }: { chips: ReadonlyArray<Chip>; path: string }) =>
  chips.length === 0 ? null : (
    <ul class="list-inline mb-3" aria-label="Filters">
      {chips.map(({ label, value, without }) => (
        <li class="list-inline-item mb-1">
          <a class="btn btn-sm netbox-pbs-break" href={without}>
            {label}: {value}
            <span class="ms-2" aria-hidden="true">
              ×
            </span>
            <span class="visually-hidden"> (remove this filter)</span>
          </a>
        </li>
      ))}
      <li class="list-inline-item mb-1">
        <a class="btn btn-sm btn-ghost-secondary" href={path}>
          Clear all
        </a>
      </li>
    </ul>
  )
