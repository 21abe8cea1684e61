import { type Field, type ListRequest, registry } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { branchParameter } from '../rest/branch-place.ts'
import { listPage } from '../rest/page-paths.ts'
import type { Chip } from './components/filter-chips.tsx'

/** Parameters of a list page that are not filters. */
const noFilters = new Set(['limit', 'offset', 'ordering', 'q', 'brief', 'fields', 'omit', 'format', branchParameter])

/** The filters of a request, in the words of its columns; one given by a server's id shows the server's name. */
export const filterChips = (
  { query: { model }, ignored }: ListRequest,
  parameters: URLSearchParams,
): Effect.Effect<ReadonlyArray<Chip>, StoreFailed, InventoryLists> =>
  Effect.forEach(
    [...parameters].filter(([name]) => !noFilters.has(name) && !ignored.includes(name)),
    ([name, value]) =>
      Effect.gen(function* () {
        const fields: Readonly<Record<string, Field>> = registry[model].fields
        const column = name.replace(/_id$/, '')
        const byId = fields[name] === undefined && fields[column]?.type === 'reference'
        const without = new URLSearchParams(parameters)
        without.delete(name, value)
        without.delete('offset')
        return {
          label: (byId ? fields[column] : fields[name])?.label ?? name,
          value: byId ? yield* serverName(value) : value === '' ? blank(fields[name]) : value,
          without: `${listPage(model)}${without.size > 0 ? `?${without}` : ''}`,
        }
      }),
  )

const blank = (field: Field | undefined): string => (field?.class === 'key' ? '(root)' : '(none)')

const serverName = (id: string): Effect.Effect<string, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const row = /^\d{1,15}$/.test(id) ? yield* lists.get({ model: 'server', id: Number(id) }) : Option.none()
    return Option.match(row, { onNone: () => id, onSome: ({ name }) => name })
  })
