import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { formatTimestamp } from '@netbox-pbs/core'
import { lockFolder } from '@netbox-pbs/store-postgres'
import { Clock, Effect, Option } from 'effect'
import manifest from '../../package.json' with { type: 'json' }
import { askForCopy, type HeldCopy } from '../backup/copy-service.ts'
import { finishRestore } from '../backup/finish-restore.ts'
import { onPostgres } from '../backup/on-postgres.ts'
import { writeArchive } from '../backup/write-archive.ts'
import { environment, keyNames } from '../config.ts'
import { databaseName } from '../data-folder/contents.ts'
import { readRunFile } from '../data-folder/run-file.ts'
import { asExpected, CannotRun, type Task } from '../failures.ts'
import { complain, progress, say } from '../terminal.ts'

/** Saves a data folder to a file: its database, its keys and its token, also while a system runs on it. */
export const backupCommand = (file: string, dataDir: string): Task =>
  Effect.gen(function* () {
    if (existsSync(file))
      return yield* new CannotRun({ message: `${file} is there already: name another file, or move that one away` })
    progress('copying the database')
    const { folder, keysElsewhere, released } = yield* unchanging(resolve(dataDir))
    progress('writing the backup')
    const about = {
      made_at: formatTimestamp(yield* Clock.currentTimeMillis),
      release: manifest.version,
      keys_elsewhere: [...keysElsewhere],
    }
    const bytes = yield* Effect.tryPromise({
      try: () => writeArchive(file, { dataDir, database: join(folder, databaseName), about, released }),
      catch: (cause) =>
        new CannotRun({
          message: released.aborted
            ? 'the system has ended during the backup, and nothing was saved: run the command again'
            : `cannot write ${file}: check the rights and the free space of its folder`,
          cause,
        }),
    }).pipe(Effect.uninterruptible)
    progress('')
    say(`saved ${dataDir} to ${file}, ${(bytes / 1e6).toFixed(1)} MB`)
    complain('the backup contains the secret keys and a token: whoever reads it can read all stored secrets')
    for (const name of keysElsewhere)
      complain(
        `${name} comes from the environment and is NOT in the backup: save it as well, or stored secrets are lost`,
      )
  }).pipe(Effect.scoped, asExpected)

/** The data folder with a database that does not change until the scope closes: a copy, or the folder itself, locked. */
const unchanging = (dataDir: string) =>
  Effect.gen(function* () {
    const run = readRunFile(dataDir)
    if (run !== null) {
      if (run.copies !== undefined) return yield* askForCopy(run.copies)
      return yield* new CannotRun({
        message: `the system on ${dataDir} is older than this command: stop it, or start it again with this release`,
      })
    }
    const env = yield* environment
    yield* onPostgres(env, dataDir)
    if (!existsSync(join(dataDir, databaseName)))
      return yield* new CannotRun({
        message: `there is no database in ${dataDir}: name the data folder with --data-dir`,
      })
    yield* finishRestore(dataDir)
    yield* lockFolder(dataDir)
    const keysElsewhere = (['secretKey', 'gatewaySecretKey'] as const)
      .filter((key) => Option.isSome(env[key]))
      .map((key) => keyNames[key])
    const held: HeldCopy = { folder: dataDir, keysElsewhere, released: new AbortController().signal }
    return held
  })
