import {
  type ChoiceSet,
  type DefinitionKind,
  type Definitions,
  definitionModels,
  type Field,
  fieldTitle,
  type Presentation,
  registry,
} from '@netbox-pbs/core'
import { DefinitionStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { definitionPage, definitionUrl } from '../rest/links.ts'
import { dataTypeOf } from './custom-field-errors.ts'

type Any = Definitions[DefinitionKind]

/** Other things that answers about definitions hold: rows of each tag, and the choice sets of fields. */
interface Related {
  readonly tagged: ReadonlyMap<number, number>
  readonly sets: ReadonlyMap<number, ChoiceSet>
}

/** Definitions as REST answers them, with the fields that were asked for. */
export const serveDefinitions = (
  kind: DefinitionKind,
  rows: ReadonlyArray<Any>,
  { base, presentation }: { readonly base: string; readonly presentation: Presentation },
): Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>, StoreFailed, DefinitionStore> =>
  Effect.gen(function* () {
    const store = yield* DefinitionStore
    const isServed = shownFields(kind, presentation)
    const counts = kind === 'tag' && isServed('tagged_items')
    const tagged = counts ? yield* store.tagged({ ids: rows.map(({ id }) => id) }) : new Map()
    const ids = rows.flatMap((row) => ('choice_set' in row && row.choice_set !== null ? [row.choice_set] : []))
    const found = ids.length > 0 ? yield* store.byIds({ kind: 'choice_set', ids: [...new Set(ids)] }) : []
    const related = { tagged, sets: new Map(found.map((set) => [set.id, set])) }
    return rows.map((row) =>
      Object.fromEntries(Object.entries(served(kind, row, base, related)).filter(([name]) => isServed(name))),
    )
  })

function served(kind: DefinitionKind, row: Any, base: string, related: Related): Readonly<Record<string, unknown>> {
  const values: Readonly<Record<string, unknown>> = { ...row }
  const fields = Object.entries<Field>(definitionModels[kind].fields).map(([name, field]) => [
    name,
    servedValue(name, field, values[name], base, related),
  ])
  return {
    id: row.id,
    url: definitionUrl(base, kind, row.id),
    display_url: definitionPage(base, kind, row.id),
    display: displayOf(row),
    ...Object.fromEntries(fields),
    ...more(row, related),
    owner: null,
    created: row.created,
    last_updated: row.last_updated,
  }
}

/** The name of a definition for people. */
export const displayOf = (row: Any): string => ('type' in row ? fieldTitle(row) : row.name)

function servedValue(name: string, field: Field, value: unknown, base: string, { sets }: Related): unknown {
  if (field.type === 'choice') {
    const choice = field.choices.find((one) => one.value === value)
    return choice === undefined ? null : { value: choice.value, label: choice.label }
  }
  if (name === 'object_types' && Array.isArray(value))
    return value.flatMap((model) =>
      Object.hasOwn(registry, model) ? [registry[model as keyof typeof registry].objectType] : [],
    )
  const set = name === 'choice_set' && typeof value === 'number' ? sets.get(value) : undefined
  if (set === undefined) return name === 'choice_set' ? null : value
  const { id, description, extra_choices } = set
  return {
    id,
    url: definitionUrl(base, 'choice_set', id),
    display: set.name,
    name: set.name,
    description,
    choices_count: extra_choices.length,
  }
}

/** What NetBox's answers have in addition to the fields that are written. */
function more(row: Any, { tagged }: Related): Readonly<Record<string, unknown>> {
  if ('slug' in row) return { tagged_items: tagged.get(row.id) ?? 0 }
  if ('type' in row)
    return {
      data_type: dataTypeOf(row.type),
      related_object_type: null,
      related_object_filter: null,
      validation_schema: null,
    }
  return { base_choices: null, choices_count: row.extra_choices.length }
}

/** Which fields of a definition are shown. */
export function shownFields(kind: DefinitionKind, { fields, omit, brief }: Presentation): (name: string) => boolean {
  if (fields !== null) return (name) => fields.includes(name)
  if (omit !== null) return (name) => !omit.includes(name)
  if (!brief) return () => true
  const names: ReadonlyArray<string> = ['id', 'url', 'display', ...definitionModels[kind].brief]
  return (name) => names.includes(name)
}
