import { type FieldErrors, type Resource, resources } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { invalid, type Refused } from '../http/refused.ts'
import { knownServers } from '../inventory/resolve-list.ts'
import { pythonText, pythonType } from '../validation/python-text.ts'
import { unknownKeys } from '../validation/unbuilt-fields.ts'
import { isDictionary, ownValue } from '../validation/validate-item.ts'

/** What a run is asked to cover. */
export interface RunRequest {
  readonly resources: ReadonlyArray<Resource>
  /** Names; null: all. */
  readonly servers: ReadonlyArray<string> | null
}

/** More names than a fleet has servers are refused before they are looked up. */
const maxServers = 10_000

/** Reads `{"resources": […], "servers": ["name", 4]}`, both optional. A number is an id, a text a name; values that mean nothing are named. */
export const readRunRequest = (body: unknown): Effect.Effect<RunRequest, Refused | StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    if (!isDictionary(body)) {
      return yield* invalid({ __all__: [`Invalid data. Expected a dictionary, but got ${pythonType(body)}.`] })
    }
    const asked = ownValue(body, 'resources')
    const wanted = ownValue(body, 'servers')
    const chosen = readResources(asked)
    const names = yield* readServers(wanted)
    const unknown = unknownKeys(body, ['resources', 'servers'])
    const errors: FieldErrors = {
      ...unknown,
      ...('errors' in chosen ? { resources: chosen.errors } : {}),
      ...('errors' in names ? { servers: names.errors } : {}),
    }
    if ('errors' in chosen || 'errors' in names || Object.keys(unknown).length > 0) return yield* invalid(errors)
    return { resources: chosen.resources, servers: names.servers }
  })

type Wrong = { readonly errors: ReadonlyArray<string> }

function readResources(input: unknown): { readonly resources: ReadonlyArray<Resource> } | Wrong {
  if (input === undefined || input === null) return { resources }
  if (!Array.isArray(input)) return notAList(input)
  const wrong = input.filter((item) => !resources.some((resource) => resource === item))
  if (wrong.length > 0) return { errors: wrong.map(notAResource) }
  if (input.length === 0) return { errors: ['This list may not be empty.'] }
  return { resources: resources.filter((resource) => input.includes(resource)) }
}

const readServers = (
  input: unknown,
): Effect.Effect<{ readonly servers: ReadonlyArray<string> | null } | Wrong, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    if (input === undefined || input === null) return { servers: null }
    if (!Array.isArray(input)) return notAList(input)
    if (input.length === 0) return { errors: ['This list may not be empty.'] }
    if (input.length > maxServers) return { errors: [`Ensure this field has no more than ${maxServers} elements.`] }
    const items: ReadonlyArray<unknown> = input
    const names = items.filter((item) => typeof item === 'string')
    const ids = items.filter((item) => typeof item === 'number').filter(Number.isSafeInteger)
    const known = yield* knownServers({ names, ids: [] })
    const named = yield* namesOf(ids)
    const found = items.map((item) => {
      if (typeof item === 'string') return known.idsByName.has(item) ? item : undefined
      return typeof item === 'number' ? named.get(item) : undefined
    })
    const wrong = items.filter((_, index) => found[index] === undefined)
    if (wrong.length > 0) return { errors: wrong.map((item) => `There is no server ${shown(item)}.`) }
    return { servers: [...new Set(found.filter((name) => name !== undefined))] }
  })

const namesOf = (ids: ReadonlyArray<number>): Effect.Effect<ReadonlyMap<number, string>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const names = new Map<number, string>()
    for (const id of new Set(ids)) {
      const server = yield* lists.get({ model: 'server', id })
      if (server._tag === 'Some') names.set(id, server.value.name)
    }
    return names
  })

const notAList = (input: unknown): Wrong => ({
  errors: [`Expected a list of items but got type "${pythonType(input)}".`],
})

const notAResource = (item: unknown) => `${shown(item)} is not one of ${resources.join(', ')}.`

const shown = (item: unknown) => (typeof item === 'string' ? item : pythonText(item)).slice(0, 255)
