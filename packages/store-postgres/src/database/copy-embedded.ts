import { constants } from 'node:fs'
import { cp } from 'node:fs/promises'
import { Effect } from 'effect'
import { Database } from './database.ts'
import { DatabaseNotCopied } from './errors.ts'

/**
 * Copies the files of the embedded database into a new folder, as they are between two transactions.
 * Opening the copy shows all that was committed, and nothing else.
 *
 * The engine has one session and writes nothing while no statement runs. A transaction keeps all other
 * statements waiting until it ends, so no file changes during the copy.
 */
export const copyEmbedded = (folder: string): Effect.Effect<void, DatabaseNotCopied, Database> =>
  Effect.gen(function* () {
    const { driver } = yield* Database
    if (driver._tag !== 'pglite' || driver.pglite.dataDir === undefined)
      return yield* Effect.dieMessage('only an embedded database in a folder can be copied')
    const { pglite } = driver
    const { dataDir = '' } = pglite
    yield* Effect.tryPromise({
      try: () =>
        pglite.transaction(async (trx) => {
          // The copy has less to recover when it is opened.
          await trx.exec('checkpoint')
          // On a file system that can share blocks between files, such as XFS, this takes no space.
          const mode = constants.COPYFILE_FICLONE
          await cp(dataDir, folder, { recursive: true, mode, force: false, errorOnExist: true })
        }),
      catch: (cause) => new DatabaseNotCopied({ folder, cause }),
    })
  }).pipe(Effect.uninterruptible)
