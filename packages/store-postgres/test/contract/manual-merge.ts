import { Branches, BranchInConflict, type EditValues } from '@netbox-pbs/core/ports'
import { may } from '@netbox-pbs/testing'
import { Effect, Option } from 'effect'
import { expect } from 'vitest'
import { conflictsOf, merge, rows } from './branching.ts'

/** Values of a server that nothing connects to. */
export const unconnected = { host: 'h', token_id: 't@pbs!x' }
/** Values of a snapshot of vm/100 in the datastore tank. */
export const key = (server: number, day: number, more: EditValues = {}): EditValues => ({
  server,
  datastore_name: 'tank',
  backup_type: 'vm',
  backup_id: '100',
  backup_time: may(day),
  ...more,
})

/** The datastores of a server, by name. */
export const storeNames = (server: number) =>
  rows<{ id: number; name: string }>(`select id, name from datastores where server_id = ${server} order by name`)

/** Merges a branch, which must fail with so many conflicts. */
export const inConflict = (id: number, conflicts: number) =>
  Effect.map(Effect.flip(merge(id)), (met) =>
    expect(met instanceof BranchInConflict ? met.conflicts : met.message).toBe(conflicts),
  )

/** The conflicts of a branch in short. */
export const kinds = (id: number) =>
  Effect.map(conflictsOf(id), (found) =>
    found.map(({ kind, field, model, objectId }) => [kind, field, model, objectId]),
  )

/** The status of a branch. */
export const status = (id: number) =>
  Effect.flatMap(Branches, (branches) => Effect.map(branches.get({ id }), (one) => Option.getOrThrow(one).status))
