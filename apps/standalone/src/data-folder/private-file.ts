import { randomUUID } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeFolders } from '@netbox-pbs/store-postgres'
import { Effect, type Scope } from 'effect'
import { CannotRun } from '../failures.ts'

/** Writes a file that only its owner may read, whole or not at all; its folder is made when it is not there. */
export const writePrivateFile = (path: string, text: string): Effect.Effect<void, CannotRun> =>
  Effect.tryPromise({
    try: async () => {
      const draft = `${path}.${randomUUID()}`
      await makeFolders(dirname(path))
      try {
        writeFileSync(draft, text, { mode: 0o600 })
        renameSync(draft, path)
      } finally {
        rmSync(draft, { force: true })
      }
    },
    catch: (cause) =>
      new CannotRun({
        message: `cannot write ${path}: check the rights and the free space of its folder, or choose another with --data-dir`,
        cause,
      }),
  })

/**
 * A folder that only this user may enter: where a system that keeps nothing leaves its token. It is
 * removed with the scope, and with the process if that ends before.
 */
export const privateFolder: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-'))
      const remove = () => rmSync(folder, { recursive: true, force: true })
      process.once('exit', remove)
      return { folder, remove }
    }),
    ({ remove }) =>
      Effect.sync(() => {
        process.off('exit', remove)
        remove()
      }),
  ),
  ({ folder }) => folder,
)
