import type { BranchConflict, FieldValue, Resolution } from '@netbox-pbs/core'
import { Branches, type ConflictFilter } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { branchedField, resolveConflicts } from '../../branches/resolve-conflicts.ts'
import { conflictFilter } from '../../records/branch.ts'
import { invalid } from '../../rest/http-error.ts'
import { branchPage, ownPath } from '../../rest/page-paths.ts'
import { sentence } from '../components/format.ts'
import { type Form, seeOther } from '../serve-page.tsx'
import { forOperatorForm } from '../visitor-page.ts'
import { drawConflicts } from './conflicts-page.tsx'
import { renderError, wordsOf } from './render-error.ts'
import { conflictFilters } from './resolve-all.tsx'

/** Answers a conflict of a branch, or all those that a list shows, and leads back to the list. */
export const answer = (id: number) =>
  forOperatorForm((viewer, form, requestId) => {
    const next = ownPath(form['next'] ?? `${branchPage(id)}conflicts/`)
    const answered = Effect.gen(function* () {
      const filter = yield* filterOf(form)
      const resolution = yield* resolutionOf(id, filter, form)
      yield* resolveConflicts({ id, filter, resolution, by: { user: viewer.username, requestId } })
      return seeOther(next)
    }).pipe(
      Effect.catchTag('HttpError', ({ body }) =>
        drawConflicts(viewer, id, new URLSearchParams(next.split('?')[1]), {
          kind: 'danger',
          text: sentence(wordsOf(body)),
          status: 400,
        }),
      ),
    )
    return renderError(viewer, id, answered)
  })

/** One conflict by its id, or those of the list by its filters. */
function filterOf({ id = '', all, ...form }: Form) {
  if (/^\d{1,15}$/.test(id)) return Effect.succeed<ConflictFilter>({ ids: [Number(id)] })
  if (all !== 'true') return invalid({ detail: 'No conflict was chosen.' })
  return Effect.map(
    conflictFilter.read(new URLSearchParams(conflictFilters.map((name) => [name, form[name] ?? '']))),
    ({ filter }) => filter,
  )
}

const resolutionOf = (id: number, filter: ConflictFilter, { resolution, value = '' }: Form) =>
  Effect.gen(function* () {
    switch (resolution) {
      case 'none':
        return null
      case 'main':
      case 'branch':
      case 'skip':
        return { choice: resolution } satisfies Resolution
      case 'value': {
        const { rows } = yield* (yield* Branches).conflicts({ id, filter, limit: 1, offset: 0 })
        return { choice: resolution, value: yield* typed(rows[0], value) } satisfies Resolution
      }
      default:
        return yield* invalid({ detail: 'No resolution was chosen.' })
    }
  })

/**
 * The typed text as a value of the field: blank is null where the field allows it, and JSON is
 * parsed. The field checks the rest.
 */
function typed(conflict: BranchConflict | undefined, text: string) {
  const field = conflict?.field == null ? undefined : branchedField(conflict.model, conflict.field)
  if (text === '' && field?.nullable === true) return Effect.succeed<FieldValue>(null)
  if (field?.type !== 'json') return Effect.succeed<FieldValue>(text)
  return Effect.try({
    try: (): FieldValue => JSON.parse(text),
    catch: () => invalid({ value: ['This is not JSON.'] }),
  })
}
