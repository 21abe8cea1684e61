/** The quick search of a list. It stays in place while the list is reloaded. */
export const QuickSearch = ({ path, search, label }: { path: string; search: string; label: string }) => (
  <search class="netbox-pbs-search">
    <form
      id="search"
      class="row g-2"
      method="get"
      action={path}
      hx-get={path}
      hx-trigger="submit, input changed delay:500ms from:#quick-search"
      hx-target="#list"
      hx-select="#list"
      hx-swap="outerHTML show:none"
      hx-push-url="true"
      hx-sync="this:replace"
    >
      <div class="col">
        <input
          id="quick-search"
          class="form-control"
          type="search"
          name="q"
          value={search}
          placeholder="Quick search"
          aria-label={label}
          autocomplete="off"
        />
      </div>
      <div class="col-auto">
        <button class="btn" type="submit">
          Search
        </button>
      </div>
    </form>
  </search>
)
