import { Nothing } from './empty-cell.tsx'

type Entry = Readonly<Record<string, unknown>>

const isEntry = (value: unknown): value is Entry => typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON for people: a list of objects as a table, an object as its pairs, anything else as JSON. */
export const JsonValue = ({ value }: { value: unknown }) => {
  if (Array.isArray(value)) {
    const items: ReadonlyArray<unknown> = value
    const entries = items.filter(isEntry)
    if (items.length === 0) return <Nothing />
    return entries.length === items.length ? <Entries entries={entries} /> : <pre class="m-0">{text(value)}</pre>
  }
  if (!isEntry(value)) return <pre class="m-0">{text(value)}</pre>
  const pairs = Object.entries(value)
  return pairs.length === 0 ? (
    <Nothing />
  ) : (
    <dl class="row m-0">
      {pairs.map(([name, item]) => (
        <>
          <dt class="col-5 text-secondary fw-normal">{name}</dt>
          <dd class="col-7 netbox-pbs-break">{text(item)}</dd>
        </>
      ))}
    </dl>
  )
}

const Entries = ({ entries }: { entries: ReadonlyArray<Entry> }) => {
  const columns = [...new Set(entries.flatMap(Object.keys))]
  return (
    <div class="table-responsive">
      <table class="table table-sm table-vcenter m-0">
        <thead>
          <tr>
            {columns.map((name) => (
              <th scope="col">{name.replaceAll('_', ' ')}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr>
              {columns.map((name) => (
                <td class="netbox-pbs-break">
                  {entry[name] === undefined || entry[name] === null ? <Nothing /> : text(entry[name])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value, null, 1) ?? ''))
