import { type Branch, branchAllows, last } from '@netbox-pbs/core'
import { Branches, BranchNotFound, InventoryLists, InventoryWrites, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { branchHeader, branchParameter } from '../rest/branch-place.ts'
import type { ApiContext } from '../rest/caller.ts'
import { badRequest, type HttpError } from '../rest/http-error.ts'

const nameOrLeaveOut = 'name a branch by its schema_id, or leave it out to work on main'

/** Where a client stays out of branches again. */
const leaveOut = `leave ${branchHeader} and ${branchParameter} out to work on main`

/**
 * The branch that a request names, by header or else by parameter; null: it is about main. 400 for
 * one that is not there or has ended, so that nothing meant for a branch reaches main.
 */
export const namedBranch = (c: ApiContext): Effect.Effect<Branch | null, HttpError | StoreFailed, Branches> =>
  Effect.gen(function* () {
    const header = c.req.header(branchHeader)
    const parameter = last(new URL(c.req.url).searchParams, branchParameter)
    const [inHeader, inQuery] = [header?.trim() ?? '', parameter?.trim() ?? '']
    // A script's unset variable must not turn a write to a branch into a write to main.
    if ((header !== undefined && inHeader === '') || (parameter !== undefined && inQuery === ''))
      return yield* badRequest(`${header === undefined ? branchParameter : branchHeader} is empty: ${nameOrLeaveOut}.`)
    if (inHeader !== '' && inQuery !== '' && inHeader !== inQuery)
      return yield* badRequest(`${branchHeader} and ${branchParameter} name different branches: send one of them.`)
    const schemaId = inHeader || inQuery
    if (schemaId === '') return null
    const found = schemaId.includes('\0') ? Option.none() : yield* (yield* Branches).bySchemaId({ schemaId })
    if (Option.isNone(found))
      return yield* badRequest(
        `Invalid branch identifier: no branch has this schema_id. See /api/plugins/pbs/branches/, or ${leaveOut}.`,
      )
    const { name, status } = found.value
    if (!branchAllows(found.value, 'read'))
      return yield* badRequest(
        `Branch ${name} is ${status.replace('_', ' ')}: only an open branch can be read and written; ${leaveOut}.`,
      )
    return found.value
  })

/** The branch of an id. */
export const branchById = (id: number): Effect.Effect<Branch, StoreFailed | BranchNotFound, Branches> =>
  Effect.gen(function* () {
    const branches = yield* Branches
    // An id beyond the range of a number belongs to no branch.
    const found = Number.isSafeInteger(id) ? yield* branches.get({ id }) : Option.none()
    return Option.isSome(found) ? found.value : yield* new BranchNotFound({ id })
  })

/**
 * Runs reads and writes of the inventory in a branch: the work gets the branch's lists and writes
 * in place of main's.
 */
export const inBranch = <A, E, R>(
  { id }: Pick<Branch, 'id'>,
  work: Effect.Effect<A, E, R>,
): Effect.Effect<A, E, Branches | Exclude<Exclude<R, InventoryLists>, InventoryWrites>> =>
  Effect.flatMap(Branches, (branches) => {
    const { lists, writes } = branches.overlay({ id })
    return work.pipe(Effect.provideService(InventoryLists, lists), Effect.provideService(InventoryWrites, writes))
  })
