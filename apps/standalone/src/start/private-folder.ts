import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Effect, type Scope } from 'effect'

/** A folder that only this user may enter: where a system that keeps nothing leaves its token. Gone with the scope, and with the process if it ends before that. */
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
