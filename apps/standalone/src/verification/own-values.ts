import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pendingMigrations, repairStored, verifyStored } from '@netbox-pbs/store-postgres'
import { Effect, Layer, Option } from 'effect'
import { finishRestore } from '../backup/finish-restore.ts'
import { databaseEnvironment } from '../config.ts'
import { databaseName } from '../data-folder/contents.ts'
import { databaseLayers } from '../databases.ts'
import { CannotRun } from '../failures.ts'
import type { StoredValues } from './stored-values.ts'

/** The stored values in the database of a system that does not run here, until the scope closes. */
export const ownValues = Effect.fn('ownValues')(function* (dataDir: string) {
  const env = yield* databaseEnvironment
  const folder = resolve(dataDir)
  if (Option.isNone(env.databaseUrl)) {
    yield* finishRestore(folder)
    if (!existsSync(join(folder, databaseName)))
      return yield* new CannotRun({
        message: `there is no database in ${folder}: name the data folder with --data-dir, or set DATABASE_URL`,
      })
  }
  const databases = yield* Layer.build(databaseLayers({ ...env, dataDir: folder }))
  const [pending] = yield* Effect.provide(pendingMigrations, databases)
  if (pending !== undefined)
    return yield* new CannotRun({
      message: `the database lacks the migration ${pending}: run "netbox-pbs migrate" first, or start the system`,
    })
  const values: StoredValues = {
    verify: (onResult) => Effect.provide(verifyStored({ onResult }), databases),
    repair: (only, onResult) => Effect.provide(repairStored({ only, onResult }), databases),
  }
  return values
})
