/** A choice among the values of a parameter; none of them is all. */
interface FilterSelect {
  readonly name: string
  readonly label: string
  readonly options: ReadonlyArray<{ readonly value: string; readonly label: string }>
}

/**
 * Filters a list of records by choices and perhaps a search. Other parameters of the list are kept,
 * except its page.
 */
export const FilterForm = ({
  path,
  parameters,
  selects,
  search,
}: {
  path: string
  parameters: URLSearchParams
  selects: ReadonlyArray<FilterSelect>
  /** The placeholder of the search; left out: there is no search. */
  search?: string
}) => {
  const own = new Set([...selects.map(({ name }) => name), 'q', 'offset'])
  return (
    <search class="w-100">
      <form class="row g-2" method="get" action={path}>
        {[...parameters]
          .filter(([name]) => !own.has(name))
          .map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
        {search === undefined ? null : (
          <div class="col-12 col-md">
            <input
              class="form-control"
              type="search"
              name="q"
              value={parameters.get('q') ?? ''}
              placeholder={search}
              aria-label={search}
              autocomplete="off"
            />
          </div>
        )}
        {selects.map(({ name, label, options }) => (
          <div class="col-auto">
            <select class="form-select" name={name} aria-label={label}>
              <option value="">{label}: all</option>
              {options.map((option) => (
                <option value={option.value} selected={parameters.get(name) === option.value}>
                  {option.label}
                </option>
              ))}
            </select>
          </div>
        ))}
        <div class="col-auto">
          <button class="btn" type="submit">
            Filter
          </button>
        </div>
      </form>
    </search>
  )
}

/** A filter that narrows a list. */
export interface Chip {
  readonly label: string
  readonly value: string
  /** The list without it. */
  readonly without: string
}

/** The filters of a list; each can be removed, and all of them. */
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
