import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, rm, rmdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  checkGatewaySecretKey,
  checkSecretKey,
  lockFolder,
  migrate,
  migrateGateway,
  secretBoxLayer,
} from '@netbox-pbs/store-postgres'
import { Effect, Layer, Option } from 'effect'
import { commitRestore, finishRestore, replacedNames } from '../backup/finish-restore.ts'
import { isLeftOver, removeLeftOvers, stagePrefix } from '../backup/left-overs.ts'
import type { Manifest } from '../backup/manifest.ts'
import { onPostgres } from '../backup/on-postgres.ts'
import { extractArchive, readManifest } from '../backup/read-archive.ts'
import { type Environment, environment } from '../config.ts'
import { needYes } from '../confirm.ts'
import { syncTree } from '../data-folder/sync-folder.ts'
import { databaseLayers } from '../databases.ts'
import { asExpected, CannotRun, type Task } from '../failures.ts'
import { findKeys } from '../start/keys.ts'
import { complain, progress, say } from '../terminal.ts'

/** How a restore treats a data folder that is not empty. */
export interface RestoreOptions {
  readonly dataDir: string
  /** Replaces what is there, after a question. */
  readonly force: boolean
  /** Without the question. */
  readonly yes: boolean
}

/**
 * Makes a data folder of a backup. The archive is read, compared with its manifest, migrated and opened
 * with its keys in a folder of its own; only then does it become the data folder, as a whole or not at all.
 */
export const restoreCommand = (file: string, { dataDir: name, force, yes }: RestoreOptions): Task =>
  Effect.gen(function* () {
    const dataDir = resolve(name)
    const env = yield* environment
    yield* onPostgres(env, dataDir)
    const manifest = yield* readManifest(file)
    yield* finishRestore(dataDir)
    if (yield* holdsAnything(dataDir)) {
      if (!force)
        return yield* new CannotRun({
          message: `${dataDir} is not empty: name an empty folder with --data-dir, or replace its content with --force`,
        })
      yield* needYes(
        yes,
        `Replace database, keys and token in ${dataDir} by the backup of ${manifest.made_at}? What is there now is removed.`,
      )
    }
    yield* removedIfUnused(dataDir)
    yield* lockFolder(dataDir)
    yield* Effect.promise(() => removeLeftOvers(dataDir))
    const stage = yield* temporaryFolder(join(dataDir, `${stagePrefix}${randomUUID()}`))
    progress('reading the backup')
    yield* extractArchive(file, stage)
    progress('checking the database and its keys')
    yield* checkContent(file, stage, manifest, env)
    progress('replacing the data folder')
    yield* Effect.tryPromise({
      try: async () => {
        await syncTree(stage)
        const names = (await readdir(stage)).filter((entry) => replacedNames.includes(entry))
        await commitRestore(stage, names)
      },
      catch: (cause) =>
        new CannotRun({
          message: `cannot write to ${dataDir}: check its rights and the free space; if the restore had begun, the next start finishes it`,
          cause,
        }),
    }).pipe(Effect.uninterruptible)
    progress('')
    say(`restored the backup of ${manifest.made_at} to ${dataDir}: "netbox-pbs start" runs it`)
    for (const key of manifest.keys_elsewhere)
      complain(`${key} is not in the backup: start the system with the ${key} that it had`)
  }).pipe(Effect.scoped, asExpected)

/** Whether a folder has content that a restore would mix with. What `mkfs` and killed processes leave is none. */
const holdsAnything = (dataDir: string): Effect.Effect<boolean, CannotRun> =>
  Effect.tryPromise({
    try: async () =>
      existsSync(dataDir) &&
      (await readdir(dataDir)).some((name) => name !== 'lost+found' && name !== 'netbox-pbs.lock' && !isLeftOver(name)),
    catch: (cause) =>
      new CannotRun({
        message: `the data folder ${dataDir} cannot be read: check that it is a folder of yours`,
        cause,
      }),
  })

/** A folder that was not there goes again when nothing was restored into it. */
const removedIfUnused = (dataDir: string) =>
  existsSync(dataDir)
    ? Effect.void
    : Effect.addFinalizer(() => Effect.promise(() => rmdir(dataDir).catch(() => undefined)))

const temporaryFolder = (folder: string) =>
  Effect.acquireRelease(Effect.succeed(folder), () =>
    Effect.promise(() => rm(folder, { recursive: true, force: true })),
  )

/** Does with the restored folder what a start does first: a database or a key that it would refuse is refused here. */
const checkContent = (file: string, stage: string, manifest: Manifest, env: Environment) =>
  Effect.gen(function* () {
    const { secretKey, gatewaySecretKey } = yield* findKeys(env, stage)
    const databases = yield* Layer.build(
      databaseLayers({ databaseUrl: Option.none(), gatewayDatabaseUrl: Option.none(), dataDir: stage }),
    )
    yield* Effect.all([migrate, migrateGateway]).pipe(Effect.provide(databases))
    const boxOf = ({ name, text }: typeof secretKey) => secretBoxLayer({ key: text, keyName: name })
    const absent = ({ name, made }: typeof secretKey) => made && manifest.keys_elsewhere.includes(name)
    if (!absent(secretKey)) yield* checkSecretKey.pipe(Effect.provide(boxOf(secretKey)), Effect.provide(databases))
    if (!absent(gatewaySecretKey))
      yield* checkGatewaySecretKey.pipe(Effect.provide(boxOf(gatewaySecretKey)), Effect.provide(databases))
  }).pipe(
    Effect.scoped,
    Effect.catchTag(
      'SecretUnreadable',
      (cause) =>
        new CannotRun({
          message: `${file} does not open with its keys: what ${cause.keyName} encrypts was stored under another key; nothing was restored`,
          cause,
        }),
    ),
    Effect.catchTag(
      'DataFolderUnusable',
      (cause) =>
        new CannotRun({
          message: `the database in ${file} cannot be opened by this release: restore it with release ${manifest.release}; nothing was restored`,
          cause,
        }),
    ),
  )
