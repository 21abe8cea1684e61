import { resolve } from 'node:path'
import { migrate, migrateGateway } from '@netbox-pbs/store-postgres'
import { Effect, Layer } from 'effect'
import { environment } from '../config.ts'
import { databaseLayers } from '../databases.ts'
import { asExpected, type CannotRun, type WrongUsage } from '../failures.ts'
import { say } from '../terminal.ts'

/** Brings the database to this version, and says what was done. */
export const migrateCommand = (dataDir: string): Effect.Effect<void, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    const databases = yield* Layer.build(databaseLayers({ ...(yield* environment), dataDir: resolve(dataDir) }))
    const applied = yield* Effect.all([migrate, migrateGateway]).pipe(Effect.provide(databases))
    const names = applied.flat()
    say(names.length === 0 ? 'the database is up to date' : `applied ${names.join(', ')}`)
  }).pipe(Effect.scoped, asExpected)
