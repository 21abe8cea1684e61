import {
  type Attached,
  type FieldErrors,
  type ListDefinitions,
  type ModelName,
  namedDefinitions,
} from '@netbox-pbs/core'
import { DefinitionStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Row } from '../rest/row.ts'
import { checkAttached, type KnownDefinitions, type StoredCustomFields } from '../validation/check-attached.ts'
import { tagsNamed } from '../validation/check-tags.ts'
import { isDictionary, type ValidatedItem } from '../validation/validate-item.ts'

/** The definitions of the tags and custom fields of some rows of a model. */
export const attachedTo = (
  model: ModelName,
  rows: ReadonlyArray<Pick<Row, 'tags'>>,
): Effect.Effect<Attached, StoreFailed, DefinitionStore> =>
  Effect.gen(function* () {
    const { fieldsOf } = yield* DefinitionStore
    return { tags: yield* tagsOn(rows), fields: yield* fieldsOf({ model }) }
  })

/** The definitions of the tags of some rows. */
export const tagsOn = (
  rows: ReadonlyArray<Partial<Pick<Row, 'tags'>>>,
): Effect.Effect<Attached['tags'], StoreFailed, DefinitionStore> =>
  Effect.gen(function* () {
    const ids = new Set(rows.flatMap(({ tags = [] }) => tags.filter((id) => typeof id === 'number')))
    if (ids.size === 0) return new Map()
    const tags = yield* (yield* DefinitionStore).tagsNamed({ ids: [...ids] })
    return new Map(tags.map((tag) => [tag.id, tag]))
  })

/** The definitions that the parameters of a list name. Asks nothing when they name none. */
export const listDefinitions = (
  model: ModelName,
  params: URLSearchParams,
): Effect.Effect<ListDefinitions, StoreFailed, DefinitionStore> =>
  Effect.gen(function* () {
    const { fields, tagIds: ids, slugs } = namedDefinitions(params)
    const store = yield* DefinitionStore
    return {
      fields: fields ? yield* store.fieldsOf({ model }) : [],
      tags: ids.length + slugs.length > 0 ? yield* store.tagsNamed({ ids, slugs }) : [],
    }
  })

/** The definitions that the objects of a body are checked against. */
export const knownDefinitions = (
  model: ModelName,
  inputs: ReadonlyArray<unknown>,
): Effect.Effect<KnownDefinitions, StoreFailed, DefinitionStore> =>
  Effect.gen(function* () {
    const store = yield* DefinitionStore
    return { fields: yield* store.fieldsOf({ model }), tags: yield* store.tagsNamed(tagsNamed(inputs)) }
  })

/**
 * A checked object of a body with its tags and custom fields. `stored`: the custom fields of the row
 * that it changes; null: it is a new row.
 */
export function withAttached(
  model: ModelName,
  item: ValidatedItem,
  {
    input,
    known,
    stored,
  }: { readonly input: unknown; readonly known: KnownDefinitions; readonly stored: StoredCustomFields },
): ValidatedItem {
  if (!isDictionary(input)) return item
  const { values, errors: own, together } = checkAttached(model, input, { ...known, stored })
  // border: NetBox nests the errors of tags and of custom fields, and nothing here reads them
  const errors = { ...item.errors, ...own } as FieldErrors
  const judged = Object.keys(errors).length > 0 || together.length === 0 ? errors : { __all__: together }
  return { ...item, values: { ...item.values, ...values }, errors: judged }
}
