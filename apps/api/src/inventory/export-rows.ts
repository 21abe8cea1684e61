import {
  columnsRead,
  type ListQuery,
  type ModelField,
  type ModelName,
  needsDefinitions,
  noDefinitions,
  type Presentation,
  type RowForm,
  registry,
  rowWriter,
  servedCustomFields,
  servedNames,
} from '@netbox-pbs/core'
import { DefinitionStore, InventoryLists } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { ApiContext } from '../rest/caller.ts'
import { csvCell } from '../rest/csv.ts'
import { type ExportFormat, respondWithExport } from '../rest/export.ts'
import { baseUrl } from '../rest/links.ts'
import type { Row } from '../rest/row.ts'
import { tagsOn } from './attached.ts'

/** What is exported, and how. */
interface ExportedRows {
  readonly format: ExportFormat
  readonly query: Omit<ListQuery, 'page'>
  readonly presentation: Presentation
}

/** Answers a whole list of a model. Custom fields are as they are defined when it begins. */
export const exportRows = (c: ApiContext, model: ModelName, { format, query, presentation }: ExportedRows) =>
  Effect.gen(function* () {
    const fields = needsDefinitions(presentation) ? yield* (yield* DefinitionStore).fieldsOf({ model }) : []
    const shown = format === 'csv' && fields.length === 0 ? withoutCustomFields(model, presentation) : presentation
    const columns = columnsRead(model, shown)
    const { stream } = yield* InventoryLists
    return yield* respondWithExport(c, {
      ...{ format, name: registry[model].path },
      columns: servedNames(model, shown).flatMap((name) => (name === customFields ? namesInCsv(fields) : [name])),
      pieces: stream({ ...query, model, columns }, (rows) =>
        Effect.map(tagsOn(rows), (tags) => {
          const serving = { base: baseUrl(c), presentation: shown, attached: { fields, tags } }
          // border: of a row are read those columns that the writer looks at
          return rows
            .map((row) => row as unknown as Row)
            .map(rowWriter(model, serving, forms[format]))
            .join('')
        }),
      ),
    })
  })

const customFields = 'custom_fields'

/** CSV has a column of each custom field, so of none it has no column. */
const withoutCustomFields = (model: ModelName, presentation: Presentation): Presentation => ({
  ...{ brief: false, omit: null },
  fields: servedNames(model, presentation).filter((name) => name !== customFields),
})

/** The columns of custom fields, in the order of their values. NetBox names them so where it reads CSV. */
const namesInCsv = (fields: ReadonlyArray<ModelField>): ReadonlyArray<string> =>
  Object.keys(servedCustomFields({ tags: [], custom_fields: {} }, { ...noDefinitions, fields })).map(
    (name) => `cf_${name}`,
  )

const forms: Readonly<Record<ExportFormat, RowForm>> = {
  csv: {
    ...{ before: '', between: ',', after: '\r\n' },
    text: (name, value) =>
      name === customFields
        ? Object.values(value as object)
            .map(csvCell)
            .join(',')
        : csvCell(value),
  },
  ndjson: {
    ...{ before: '{', between: ',', after: '}\n' },
    text: (name, value) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  },
}
