import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Effect, type Scope } from 'effect'

/** A folder that only this user may enter, gone with the scope: where a system that keeps nothing leaves its token. */
export const privateFolder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), 'netbox-pbs-'))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true })),
)
