import { choiceFor, type Field, type FieldValue, type IntegerField, type ModelName } from '@netbox-pbs/core'
import { branchedField } from '../../branches/resolve-conflicts.ts'
import { rowPage } from '../../rest/page-paths.ts'
import { Badge } from './badge.tsx'
import { formatBytes, formatCount, formatSeconds } from './format.ts'
import { Time } from './time.tsx'
import type { PageBranch } from './viewer.ts'

/** The sign for a missing value. */
export const Nothing = () => <span class="text-secondary netbox-pbs-nothing">—</span>

/** The label of a column on pages: a value with its unit needs no unit in the label. */
export const columnLabel = ({ label, ...field }: Field): string =>
  field.type === 'integer' && field.unit === 'bytes' ? label.replace(/ bytes$/, '') : label

/** Whether something is so. */
export const Tick = ({ yes }: { yes: boolean }) => (
  <span class={yes ? 'text-green' : 'text-secondary'}>
    <span aria-hidden="true">{yes ? '✓' : '✗'}</span>
    <span class="visually-hidden">{yes ? 'Yes' : 'No'}</span>
  </span>
)

/** The content of a cell. `reference` is the name of the row that a reference points to. */
interface CellProps {
  readonly field: Field
  readonly value: unknown
  readonly reference: string
  /** The branch that a link stays in. */
  readonly branch?: PageBranch
  /** How a time is shown. */
  readonly time?: 'age' | 'exact'
}

/**
 * One value, shown by the type of its field. Blank and null are a dash; a blank key is the root, as
 * only a namespace may be.
 */
export const Cell = ({ field, value, reference, branch = null, time = 'exact' }: CellProps) => {
  if (value === '' && field.type === 'text' && field.class === 'key') return <span class="text-secondary">(root)</span>
  if (value === null || value === undefined || value === '') return <Nothing />
  switch (field.type) {
    case 'choice': {
      const { value: known, label, color } = choiceFor(field.choices, String(value))
      return <Badge color={color} label={label} title={known === value ? undefined : String(value)} />
    }
    case 'boolean':
      return <Tick yes={value === true} />
    case 'datetime':
      return <Time time={String(value)} form={time} />
    case 'integer':
      return <span class="text-nowrap">{wholeNumber(field, Number(value))}</span>
    case 'reference':
      return <a href={rowPage(field.model, Number(value), branch)}>{reference}</a>
    case 'json':
      return <JsonValue value={value} />
    case 'text':
      return <span>{String(value)}</span>
  }
}

/** A size or a time with its unit, a count in groups of three; any other number, such as a port, as it is. */
const wholeNumber = ({ unit, class: kind }: IntegerField, value: number): string => {
  if (unit === 'bytes') return formatBytes(value)
  if (unit === 'seconds') return formatSeconds(value)
  return kind === 'derived' ? formatCount(value) : String(value)
}

/** The label of a field that a branch changes. */
export function fieldLabel(model: ModelName, name: string): string {
  const field = branchedField(model, name)
  return field === undefined ? name : columnLabel(field)
}

/** A value on one side of a change or conflict. Of a field that is no longer known it is shown as it is stored. */
export const BranchedValue = ({ model, name, value }: { model: ModelName; name: string; value: FieldValue }) => {
  const field = branchedField(model, name)
  if (value === null) return <Nothing />
  return field === undefined ? (
    <JsonValue value={value} />
  ) : (
    <Cell field={field} value={value} reference={`#${String(value)}`} />
  )
}

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
