import { type Choice, choiceFor, type Field, type FieldValue, registry } from '@netbox-pbs/core'
import { formatBytes, formatCount, formatTime } from './format.ts'

/** A choice as NetBox shows it. */
export const ChoiceBadge = ({ choice }: { choice: Choice }) => (
  <span class={`badge bg-${choice.color}-lt text-${choice.color}-lt-fg`}>{choice.label}</span>
)

const Nothing = () => <span class="text-secondary">—</span>

const Tick = ({ yes }: { yes: boolean }) =>
  yes ? (
    <span class="text-green" title="Yes">
      ✓ <span class="visually-hidden">Yes</span>
    </span>
  ) : (
    <span class="text-secondary" title="No">
      ✗ <span class="visually-hidden">No</span>
    </span>
  )

/** What a cell shows: the field says how. `reference` is the name of the row that a reference points to. */
export interface CellProps {
  readonly field: Field
  readonly value: FieldValue | undefined
  readonly reference?: string
}

/** One value, shown by the type of its field. Blank and null are a dash. */
export const Cell = ({ field, value, reference }: CellProps) => {
  if (value === null || value === undefined || value === '') return <Nothing />
  switch (field.type) {
    case 'choice':
      return <ChoiceBadge choice={choiceFor(field.choices, String(value))} />
    case 'boolean':
      return <Tick yes={value === true} />
    case 'datetime':
      return <time datetime={String(value)}>{formatTime(String(value))}</time>
    case 'integer':
      if (typeof value !== 'number') return <Nothing />
      return <span>{field.unit === 'bytes' ? formatBytes(value) : formatCount(value)}</span>
    case 'reference':
      return (
        <a href={`/plugins/pbs/${registry[field.model].path}/${String(value)}/`}>{reference ?? `#${String(value)}`}</a>
      )
    case 'json':
      return <Json value={value} />
    case 'text':
      return <span>{String(value)}</span>
  }
}

const Json = ({ value }: { value: FieldValue }) => {
  const empty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
  return empty ? <Nothing /> : <pre class="mb-0">{JSON.stringify(value, null, 2)}</pre>
}
