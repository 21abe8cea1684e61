import type { Field, Model, ModelName } from '@netbox-pbs/core'
import { columnLabel } from '../components/cell.tsx'
import type { ColumnKind } from '../components/data-table.tsx'
import { datastorePresentation } from './datastore.tsx'
import { groupPresentation } from './group.tsx'
import { jobPresentation } from './job.tsx'
import { namespacePresentation } from './namespace.ts'
import type { FieldPresentation, Presentation } from './presentation.ts'
import { serverPresentation } from './server.tsx'
import { snapshotPresentation } from './snapshot.tsx'
import { taskPresentation } from './task.tsx'

/** How pages show the rows of each model. */
export const presentations: { readonly [M in ModelName]: Presentation<M> } = {
  server: serverPresentation,
  datastore: datastorePresentation,
  namespace: namespacePresentation,
  group: groupPresentation,
  snapshot: snapshotPresentation,
  job: jobPresentation,
  task: taskPresentation,
}

/** How pages show a field of a model. */
export const fieldPresentation = (model: ModelName, name: string): FieldPresentation =>
  (({ ...presentations[model].fields }) as Readonly<Record<string, FieldPresentation>>)[name] ?? {}

/** The head of a column. */
export const headOf = (model: Model, name: string, field: Field): string =>
  fieldPresentation(model.name, name).head ?? columnLabel(field)

/** The width that a column takes: a field's own kind, else by its type. */
export function kindOf(model: Model, name: string, field: Field): ColumnKind {
  const own = fieldPresentation(model.name, name).kind
  if (own !== undefined) return own
  if (field.type === 'integer') return 'number'
  return field.type === 'text' ? 'name' : 'short'
}
