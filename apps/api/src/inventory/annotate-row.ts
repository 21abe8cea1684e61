import { type Actor, type Branch, type ModelName, registry } from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  type DefinitionStore,
  type ExpectedVersions,
  InventoryWrites,
  type ServerGone,
  type StoreFailed,
  type VersionChanged,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { badRequest, type HttpError, notFound, ValidationFailed } from '../rest/http-error.ts'
import type { Row } from '../rest/row.ts'
import { keyTakenErrors } from '../validation/unique.ts'
import { isDictionary, noDictionary, validateRemoval } from '../validation/validate-item.ts'
import { knownDefinitions, withAttached } from './attached.ts'

/**
 * Changes the tags and custom fields of a row of a model that people do not write otherwise. In a
 * branch it is refused.
 */
export const annotateRow = (
  model: ModelName,
  {
    row,
    input,
    actor,
    branch,
    versions,
  }: {
    readonly row: Row
    readonly versions?: ExpectedVersions
    readonly input: unknown
    readonly actor: Actor
    readonly branch: Branch | null
  },
): Effect.Effect<
  void,
  StoreFailed | HttpError | ValidationFailed | VersionChanged | ServerGone | BranchNotOpen | BranchOfRun,
  InventoryWrites | DefinitionStore
> =>
  Effect.gen(function* () {
    const { label, labelPlural } = registry[model]
    if (branch !== null)
      return yield* badRequest(
        `Tags and custom fields of ${labelPlural.toLowerCase()} are changed in main only: leave X-NetBox-Branch and _branch out.`,
      )
    if (!isDictionary(input)) return yield* new ValidationFailed({ errors: noDictionary(input) })
    const { message, errors: unusable } = validateRemoval(input)
    const item = { values: {}, message, errors: unusable }
    const known = yield* knownDefinitions(model, [input])
    const { values, errors } = withAttached(model, item, { input, known, stored: row.custom_fields })
    if (Object.keys(errors).length > 0) return yield* new ValidationFailed({ errors })
    if (Object.keys(values).length === 0) return
    const writes = yield* InventoryWrites
    yield* writes.update({ model, rows: [{ id: row.id, values, versions }], actor: { ...actor, message } }).pipe(
      Effect.catchTags({
        RowNotFound: () => notFound(`No ${label} matches the given query.`),
        // Its key does not change.
        KeyTaken: ({ customField }) => new ValidationFailed({ errors: keyTakenErrors(model, customField) }),
      }),
    )
  })
