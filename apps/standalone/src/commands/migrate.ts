import { resolve } from 'node:path'
import { migrate, migrateGateway } from '@netbox-pbs/store-postgres'
import { Effect, Layer } from 'effect'
import { finishRestore } from '../backup/finish-restore.ts'
import { databaseEnvironment } from '../config.ts'
import { databaseLayers } from '../databases.ts'
import { asExpected, type Task } from '../failures.ts'
import { progress, say } from '../terminal.ts'

/** Brings the database to this version, and prints the applied migrations. */
export const migrateCommand = (dataDir: string): Task =>
  Effect.gen(function* () {
    yield* finishRestore(resolve(dataDir))
    progress('opening the database')
    const databases = yield* Layer.build(databaseLayers({ ...(yield* databaseEnvironment), dataDir: resolve(dataDir) }))
    progress('migrating the database')
    const applied = yield* Effect.all([migrate, migrateGateway]).pipe(Effect.provide(databases))
    const names = applied.flat()
    progress('')
    say(names.length === 0 ? 'the database is up to date' : `applied ${names.join(', ')}`)
  }).pipe(Effect.scoped, asExpected)
