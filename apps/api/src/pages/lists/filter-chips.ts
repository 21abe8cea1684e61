import { type Field, type ListRequest, registry, splitParameter } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { listPage } from '../../rest/page-paths.ts'
import type { Chip } from '../components/filter-form.tsx'
import { notFilters } from './list-parameters.ts'
import { lookupWords } from './list-tools.tsx'

/** The filters of a request, in the words of its columns; one given by a server's id shows the server's name. */
export const filterChips = (
  { query: { model }, ignored }: ListRequest,
  parameters: URLSearchParams,
): Effect.Effect<ReadonlyArray<Chip>, StoreFailed, InventoryLists> =>
  Effect.forEach(
    [...parameters].filter(([name]) => !notFilters.has(name) && !ignored.includes(name)),
    ([name, value]) =>
      Effect.gen(function* () {
        const fields: Readonly<Record<string, Field>> = registry[model].fields
        const { name: filtered, suffix } = splitParameter(name)
        const column = filtered.replace(/_id$/, '')
        const byId = fields[filtered] === undefined && fields[column]?.type === 'reference'
        const label = (byId ? fields[column] : fields[filtered])?.label
        const without = new URLSearchParams(parameters)
        without.delete(name, value)
        without.delete('offset')
        return {
          label: label === undefined ? name : suffix === null ? label : `${label} ${lookupWords[suffix] ?? suffix}`,
          value: byId
            ? yield* serverName(value)
            : value === ''
              ? blank(fields[name])
              : valueWords(fields[filtered], suffix, value),
          without: `${listPage(model)}${without.size > 0 ? `?${without}` : ''}`,
        }
      }),
  )

const blank = (field: Field | undefined): string => (field?.class === 'key' ? '(root)' : '(none)')

/** A value of a filter as its column shows it. */
function valueWords(field: Field | undefined, suffix: string | null, value: string): string {
  const answers: Readonly<Record<string, string>> = { true: 'Yes', false: 'No' }
  if (suffix === 'empty' || field?.type === 'boolean') return answers[value.toLowerCase()] ?? value
  if (field?.type !== 'choice' || (suffix !== null && suffix !== 'n')) return value
  return field.choices.find((choice) => choice.value === value)?.label ?? value
}

const serverName = (id: string): Effect.Effect<string, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const row = /^\d{1,15}$/.test(id) ? yield* lists.get({ model: 'server', id: Number(id) }) : Option.none()
    return Option.match(row, { onNone: () => id, onSome: ({ name }) => name })
  })
