import type { ModelName } from '@netbox-pbs/core'
import type { BranchInventory, WritableModel } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import type { Database } from '../../database/database.ts'
import { analyzeGrown } from '../../database/statistics.ts'
import { pendingSince } from '../../writes/pending-since.ts'
import { createEntries } from './create-entries.ts'
import { removeEntries } from './remove-entries.ts'
import { updateEntries } from './update-entries.ts'

const isWritable = (model: ModelName): model is WritableModel =>
  model === 'server' || model === 'datastore' || model === 'snapshot' || model === 'job'

/**
 * A user's writes in a branch: each call writes its entries in one transaction. Observations of an
 * object that main has cannot be changed in a branch and are ignored.
 */
export const branchWrites = (database: Database['Type'], branch: number): BranchInventory['writes'] => ({
  create: (request) => Effect.tap(createEntries(database, branch, request), () => analyzeGrown(database, 'branches')),
  update: ({ model, ...request }) =>
    isWritable(model)
      ? updateEntries(database, branch, { ...request, model })
      : Effect.dieMessage(`people do not write a ${model} in a branch`),
  remove: (request) => removeEntries(database, branch, request),
  // Endpoints are not branched: a server waits for its endpoint in main, or not at all.
  pendingSince: Effect.fn('BranchWrites.pendingSince')(({ serverId }) =>
    database.query('reading a server', async (db) => Option.fromNullable(await pendingSince(db, serverId))),
  ),
})
