import type { ModelName } from '@netbox-pbs/core'
import { InventoryLists } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { listPage } from '../../rest/page-paths.ts'
import { Alert } from '../components/alert.tsx'
import { formatCount } from '../components/format.ts'

/** Rows that fail: a filter of a list, and what the overview says of one row and of several. */
interface Failing {
  readonly model: ModelName
  readonly field: string
  readonly value: string
  readonly one: string
  readonly many: string
}

const failing: ReadonlyArray<Failing> = [
  {
    ...{ model: 'server', field: 'status', value: 'unreachable' },
    ...{ one: 'server cannot be reached', many: 'servers cannot be reached' },
  },
  {
    ...{ model: 'server', field: 'last_error_code', value: 'unauthorized' },
    ...{ one: 'server refuses its token', many: 'servers refuse their tokens' },
  },
  {
    ...{ model: 'server', field: 'last_error_code', value: 'forbidden' },
    ...{ one: 'server hides its datastores from its token', many: 'servers hide their datastores from their tokens' },
  },
  {
    ...{ model: 'job', field: 'last_run_state', value: 'error' },
    ...{ one: 'job failed in its last run', many: 'jobs failed in their last run' },
  },
]

/** The banner of the overview about servers and jobs that fail, each with its list. Null: none does. */
export const failures = Effect.gen(function* () {
  const lists = yield* InventoryLists
  const counted = yield* Effect.forEach(failing, (one) =>
    Effect.map(
      lists.list({
        model: one.model,
        filters: [{ field: one.field, lookup: 'exact', values: [one.value] }],
        search: null,
        order: [],
        page: { _tag: 'offset', limit: 1, offset: 0 },
      }),
      ({ count }) => ({ ...one, count: count ?? 0 }),
    ),
  )
  const found = counted.filter(({ count }) => count > 0)
  if (found.length === 0) return null
  return (
    <Alert kind="danger">
      <div>
        {found.map(({ model, field, value, one, many, count }, i) => (
          <>
            {i === 0 ? '' : ' · '}
            <a class="alert-link" href={`${listPage(model)}?${field}=${value}`}>
              {formatCount(count)} {count === 1 ? one : many}
            </a>
          </>
        ))}
      </div>
    </Alert>
  )
})
