import type { FieldValue, ModelName } from '@netbox-pbs/core'
import { branchedField } from '../../branches/read-value.ts'
import { Cell } from './cell.tsx'
import { columnLabel } from './column-label.ts'
import { Nothing } from './empty-cell.tsx'
import { JsonValue } from './json-value.tsx'

/** What a field that a branch changes is called. */
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
