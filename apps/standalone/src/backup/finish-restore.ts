import { existsSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type DataFolderInUse, DataFolderUnusable, lockFolder } from '@netbox-pbs/store-postgres'
import { Effect } from 'effect'
import { z } from 'zod'
import { databaseName, keptFiles } from '../data-folder/contents.ts'
import { syncFolder } from '../data-folder/sync-folder.ts'
import { isLeftOver } from './left-overs.ts'

/** The file that commits a restore: from then on, the data folder is what `stage` holds. */
const journalName = 'restore.json'

const Journal = z.object({
  /** The folder in the data folder that holds the checked content. */
  stage: z.string().refine(isLeftOver),
  /** Its names; those that are there no more have been moved. */
  names: z.array(z.enum([databaseName, ...keptFiles])),
})

/** All that a restore replaces in a data folder. */
export const replacedNames: ReadonlyArray<string> = [databaseName, ...keptFiles, 'run.json']

/**
 * Makes a stage the content of its data folder, in place of what is there. The stage must be on the
 * disk, and the folder be locked. It is done as a whole or not at all: the journal appears in one step,
 * and whatever is interrupted after it is done again by {@link finishRestore}.
 */
export async function commitRestore(stage: string, names: ReadonlyArray<string>): Promise<void> {
  const dataDir = join(stage, '..')
  const journal = join(dataDir, journalName)
  await writeFile(`${journal}.draft`, JSON.stringify({ stage: basename(stage), names }), { mode: 0o600, flush: true })
  await rename(`${journal}.draft`, journal)
  await syncFolder(dataDir)
  await moveAll(dataDir)
}

/** Finishes a restore that was committed before its process ended. Does nothing when there is none. */
export const finishRestore = (dataDir: string): Effect.Effect<void, DataFolderInUse | DataFolderUnusable> =>
  existsSync(join(dataDir, journalName))
    ? Effect.scoped(
        Effect.zipRight(
          lockFolder(dataDir),
          Effect.tryPromise({
            try: () => moveAll(dataDir),
            catch: (cause) => new DataFolderUnusable({ folder: dataDir, reason: 'files', cause }),
          }),
        ),
      )
    : Effect.void

/** Each step may have been done before: a name that the stage lacks is in its place already. */
async function moveAll(dataDir: string): Promise<void> {
  const journal = join(dataDir, journalName)
  const { stage, names } = Journal.parse(JSON.parse(await readFile(journal, 'utf8')))
  const staged = join(dataDir, stage)
  for (const name of replacedNames) {
    const [from, to] = [join(staged, name), join(dataDir, name)]
    const listed = names.some((one) => one === name)
    if (listed && !existsSync(from)) continue
    await rm(to, { recursive: true, force: true })
    if (listed) await rename(from, to)
  }
  await syncFolder(dataDir)
  await rm(journal)
  await rm(staged, { recursive: true, force: true })
}
