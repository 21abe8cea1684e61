import { choiceFor, type Field, type IntegerField } from '@netbox-pbs/core'
import { rowPage } from '../../rest/page-paths.ts'
import { Badge } from './badge.tsx'
import { Nothing } from './empty-cell.tsx'
import { formatBytes, formatCount, formatSeconds, formatTime } from './format.ts'
import { JsonValue } from './json-value.tsx'
import type { PageBranch } from './page-branch.ts'

const Tick = ({ yes }: { yes: boolean }) => (
  <span class={yes ? 'text-green' : 'text-secondary'}>
    <span aria-hidden="true">{yes ? '✓' : '✗'}</span>
    <span class="visually-hidden">{yes ? 'Yes' : 'No'}</span>
  </span>
)

/** What a cell shows. `reference` is the name of the row that a reference points to. */
export interface CellProps {
  readonly field: Field
  readonly value: unknown
  readonly reference: string
  /** The branch that a link stays in. */
  readonly branch?: PageBranch
}

/** One value, shown by the type of its field. Blank and null are a dash; a blank key is the root, as only a namespace may be. */
export const Cell = ({ field, value, reference, branch = null }: CellProps) => {
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
      return (
        <time class="text-nowrap" datetime={String(value)}>
          {formatTime(String(value))}
        </time>
      )
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
