import {
  type DefinitionKind,
  definitionModels,
  type Field,
  type ModelName,
  modelNames,
  registry,
} from '@netbox-pbs/core'
import type { DefinitionFilter } from '@netbox-pbs/core/ports'
import { z } from 'zod'
import { choices, numbers, type RecordFilter, recordFilter, search, texts } from '../rest/read-filter.ts'

interface Read {
  readonly ids?: ReadonlyArray<number>
  readonly models?: ReadonlyArray<ModelName>
  readonly search?: string
  readonly [text: `text_${string}`]: ReadonlyArray<string>
}

const presentation = { brief: { type: 'string' }, fields: { type: 'string' }, omit: { type: 'string' } }

/** The filters of the list of a kind: its texts and choices, its object types, ids, and free text. */
export const definitionFilter = (kind: DefinitionKind): RecordFilter<Read> => {
  const fields = Object.entries<Field>(definitionModels[kind].fields)
  const plain = fields.filter(([, { type }]) => type === 'text' || type === 'choice')
  const shape = Object.fromEntries(fields.map(([name]) => [name, z.unknown()]))
  return recordFilter<Read>(
    z.object(shape),
    {
      ids: numbers('id'),
      search: search('q'),
      ...(kind === 'choice_set'
        ? {}
        : { models: choices('object_type', modelNames, (model) => registry[model].objectType) }),
      ...Object.fromEntries(
        plain.map(([name, field]) => [
          `text_${name}`,
          field.type === 'choice'
            ? choices(
                name,
                field.choices.map(({ value }) => value),
              )
            : texts(name),
        ]),
      ),
    } as never, // border: fromEntries forgets the names
    { ordering: { type: 'string' }, ...presentation },
  )
}

/** The filter as the store takes it. */
export function storeFilter({ ids, models, search: text, ...more }: Read): DefinitionFilter {
  const fields = Object.fromEntries(
    Object.entries(more).flatMap(([name, values]) =>
      Array.isArray(values) ? [[name.replace(/^text_/, ''), values.map(String)]] : [],
    ),
  )
  return {
    fields,
    ...(ids === undefined ? {} : { ids }),
    ...(models === undefined ? {} : { models }),
    ...(text === undefined ? {} : { search: text }),
  }
}
