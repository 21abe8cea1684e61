import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ParserOptions, PGlite, Transaction } from '@electric-sql/pglite'
import { Effect, type Scope } from 'effect'
import { Kysely, PGliteDialect } from 'kysely'
import { type DataFolderInUse, DataFolderUnusable } from './errors.ts'
import { lockFolder } from './folder-lock.ts'
import { makeContentsPrivate, makePrivateFolder } from './private-folder.ts'
import { scopeOfStatement } from './statement-scope.ts'
import type { Tables } from './tables.ts'
import { typeParsers } from './type-parsers.ts'

/** The folder of the embedded database. */
export interface PgliteOptions {
  /** A folder, made when it is not there; the database is its `database` subfolder. Null: in memory. */
  readonly dataDir: string | null
  /** A database to begin with, as `dumpDataDir` of PGlite gives it, instead of an empty one. */
  readonly dump?: Blob
}

/**
 * The embedded database, locked to this process and closed with the scope. It has one session: a
 * transaction keeps all others waiting.
 */
export const openPglite = Effect.fn('Database.openPglite')(function* ({
  dataDir,
  dump,
}: PgliteOptions): Effect.fn.Return<
  { readonly db: Kysely<Tables>; readonly pglite: PGlite; readonly parsers: ParserOptions },
  DataFolderInUse | DataFolderUnusable,
  Scope.Scope
> {
  if (dataDir !== null) yield* lockFolder(dataDir)
  // Loaded on first use: on a server its 40 MB would be wasted.
  const engine = yield* Effect.promise(() => import('@electric-sql/pglite'))
  const unusable = (reason: DataFolderUnusable['reason'], cause?: unknown) =>
    new DataFolderUnusable({ folder: dataDir ?? 'in memory', reason, cause })
  const pglite = yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const folder = dataDir === null ? null : join(dataDir, 'database')
        if (folder !== null) {
          await makePrivateFolder(folder)
          // The engine would make a new database over the files of another.
          const names = await readdir(folder)
          if (names.length > 0 && !names.includes('PG_VERSION')) throw unusable('no_database')
        }
        const created = await engine.PGlite.create({
          ...(folder !== null && { dataDir: folder }),
          ...(dump !== undefined && { loadDataDir: dump }),
          parsers: typeParsers,
        })
        // The engine creates its first files readable by others, and so may an earlier process have
        // done.
        if (folder !== null) await makeContentsPrivate(folder)
        return created
      },
      catch: (cause) => {
        if (cause instanceof DataFolderUnusable) return cause
        const ofFiles = cause instanceof Error && 'syscall' in cause
        return unusable(ofFiles ? 'files' : 'engine', cause)
      },
    }),
    (opened) => Effect.promise(async () => (opened.closed ? undefined : opened.close())),
  )
  return { db: embeddedKysely(pglite), pglite, parsers: engine.types.parsers }
})

/** The statements of one caller, or of all callers in one process, on an opened engine. */
export const embeddedKysely = (pglite: PGlite): Kysely<Tables> =>
  new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: withoutAbandoned(pglite) }) })

/**
 * The engine, except that statements whose callers have left are never run: those that wait for its
 * one session, and those of a transaction.
 */
function withoutAbandoned<A extends PGlite | Transaction>(session: A): A {
  return new Proxy(session, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (name === 'transaction' && 'transaction' in target) {
        return (use: (trx: Transaction) => Promise<unknown>) => target.transaction((trx) => use(withoutAbandoned(trx)))
      }
      return (...values: ReadonlyArray<unknown>) => {
        if (name === 'query') scopeOfStatement()
        return Reflect.apply(member, target, values) as unknown
      }
    },
  })
}
