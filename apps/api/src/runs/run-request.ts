import { type FieldErrors, type Resource, type RunMode, resources, runModes } from '@netbox-pbs/core'
import { type InventoryLists, type StoreFailed, visibleServers } from '@netbox-pbs/core/ports'
import { Effect, FiberRef } from 'effect'
import { knownServers } from '../inventory/find-row.ts'
import { type HttpError, invalid } from '../rest/http-error.ts'
import { pythonText, pythonType } from '../validation/python-text.ts'
import { unknownKeys } from '../validation/unknown-keys.ts'
import { isDictionary, ownValue } from '../validation/validate-item.ts'

/** The coverage that a request for a run asks for. */
interface RunRequest {
  readonly resources: ReadonlyArray<Resource>
  /** Ids; null: all. */
  readonly servers: ReadonlyArray<number> | null
  readonly mode: RunMode
}

/** More names than a fleet has servers are refused before they are looked up. */
const maxServers = 10_000

/**
 * Reads `{"resources": […], "servers": ["name", 4], "mode": "light"}`, all optional. A number is an id, a text a
 * name; values that mean nothing are named.
 */
export const readRunRequest = (body: unknown): Effect.Effect<RunRequest, HttpError | StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    if (!isDictionary(body)) {
      return yield* invalid({ __all__: [`Invalid data. Expected a dictionary, but got ${pythonType(body)}.`] })
    }
    const requested = ownValue(body, 'resources')
    const needed = ownValue(body, 'servers')
    const chosen = readResources(requested)
    const servers = yield* readServers(needed)
    const mode = readMode(ownValue(body, 'mode'))
    const unknown = unknownKeys(body, ['resources', 'servers', 'mode'])
    const errors: FieldErrors = {
      ...unknown,
      ...('errors' in chosen ? { resources: chosen.errors } : {}),
      ...('errors' in servers ? { servers: servers.errors } : {}),
      ...('errors' in mode ? { mode: mode.errors } : {}),
    }
    if ('errors' in chosen || 'errors' in servers || 'errors' in mode || Object.keys(unknown).length > 0)
      return yield* invalid(errors)
    return { resources: chosen.resources, servers: servers.servers ?? (yield* allVisible), mode: mode.mode }
  })

/** All servers: null, or those that the user sees. */
const allVisible = Effect.gen(function* () {
  const ids = yield* FiberRef.get(visibleServers)
  if (ids === null) return null
  const known = yield* knownServers({ names: [], ids })
  if (known.ids.size === 0) return yield* invalid({ servers: ['There is no server that your user sees.'] })
  return ids.filter((id) => known.ids.has(id))
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

function readMode(input: unknown): { readonly mode: RunMode } | Wrong {
  if (input === undefined || input === null) return { mode: 'full' }
  const mode = runModes.find((known) => known === input)
  return mode === undefined ? { errors: [`${textOf(input)} is not one of ${runModes.join(', ')}.`] } : { mode }
}

const readServers = (
  input: unknown,
): Effect.Effect<{ readonly servers: ReadonlyArray<number> | null } | Wrong, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    if (input === undefined || input === null) return { servers: null }
    if (!Array.isArray(input)) return notAList(input)
    if (input.length === 0) return { errors: ['This list may not be empty.'] }
    if (input.length > maxServers) return { errors: [`Ensure this field has no more than ${maxServers} elements.`] }
    const items: ReadonlyArray<unknown> = input
    const names = items.filter((item) => typeof item === 'string')
    const ids = items.filter((item) => typeof item === 'number').filter(Number.isSafeInteger)
    const known = yield* knownServers({ names, ids })
    const found = items.map((item) => {
      if (typeof item === 'string') return known.idsByName.get(item)
      return typeof item === 'number' && known.ids.has(item) ? item : undefined
    })
    const wrong = items.filter((_, index) => found[index] === undefined)
    if (wrong.length > 0) return { errors: wrong.map((item) => `There is no server ${textOf(item)}.`) }
    return { servers: [...new Set(found.filter((id) => id !== undefined))] }
  })

const notAList = (input: unknown): Wrong => ({
  errors: [`Expected a list of items but got type "${pythonType(input)}".`],
})

const notAResource = (item: unknown) => `${textOf(item)} is not one of ${resources.join(', ')}.`

const textOf = (item: unknown) => (typeof item === 'string' ? item : pythonText(item)).slice(0, 255)
