import type { Field, ModelName } from '../registry/field.ts'
import { registry } from '../registry/registry.ts'

/** Values of a parameter that name rows of another model. `null` means: without such a row. */
export interface ReferenceLookup {
  /** The parameter as sent: `server` or `server_id`. */
  readonly parameter: string
  readonly field: string
  readonly model: ModelName
  /** By name, then by id where nothing has that name; or by id alone. */
  readonly by: 'name' | 'id'
  readonly values: ReadonlyArray<string | null>
}

type ParsedReference =
  | { readonly _tag: 'lookup'; readonly lookup: ReferenceLookup }
  | { readonly _tag: 'invalid'; readonly message: string }

/** Reads `server` and `server_id` of a model with a reference `server`; undefined when the parameter is no reference of the model. */
export function parseReference(
  model: ModelName,
  parameter: string,
  texts: ReadonlyArray<string>,
): ParsedReference | undefined {
  const byId = parameter.endsWith('_id')
  const name = byId ? parameter.slice(0, -'_id'.length) : parameter
  const field = Object.entries<Field>(registry[model].fields).find(([key]) => key === name)?.[1]
  if (field?.type !== 'reference') return undefined
  const wrong = byId ? texts.find((text) => text !== 'null' && !isId(text)) : undefined
  if (wrong !== undefined) return { _tag: 'invalid', message: `“${wrong}” is not a valid value.` }
  const values = texts.map((text) => (text === 'null' ? null : text))
  return { _tag: 'lookup', lookup: { parameter, field: name, model: field.model, by: byId ? 'id' : 'name', values } }
}

/** Whether a text is a whole number, as ids are written. */
export const isId = (text: string): boolean => /^\s*[+-]?\d+\s*$/.test(text)
