import {
  type DefinitionKind,
  definitionListFields,
  definitionModels,
  type ModelName,
  modelNames,
  registry,
} from '@netbox-pbs/core'
import { z } from 'zod'
import { choices, type RecordFilter, recordFilter, search } from '../rest/read-filter.ts'

/** The filters of a list of definitions that are more than a comparison with a field. */
interface Special {
  readonly models?: ReadonlyArray<ModelName>
  readonly search?: string
}

/** The filters of the list of a kind: its fields with every lookup of their types, its object types, and free text. */
export const definitionFilter = (kind: DefinitionKind): RecordFilter<Special> =>
  recordFilter<Special>(
    z.object(Object.fromEntries(Object.keys(definitionModels[kind].fields).map((name) => [name, z.unknown()]))),
    {
      fields: definitionListFields(kind),
      parameters: {
        search: search('q'),
        models: choices('object_type', modelNames, (model) => registry[model].objectType),
      },
    },
  )
