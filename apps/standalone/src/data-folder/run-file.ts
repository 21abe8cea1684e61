import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Effect, type Scope } from 'effect'
import { z } from 'zod'
import type { CannotRun } from '../failures.ts'
import { writePrivateFile } from './private-file.ts'

/**
 * The connection to a running system, in its data folder, so that the command calls it instead of
 * opening the folder.
 */
export const RunFile = z.object({
  address: z.url(),
  token: z.string(),
  pid: z.int().positive(),
  /** Where a command asks for a copy of the database, and the key that it shows. */
  copies: z.object({ address: z.url(), key: z.string() }).optional(),
  /** Where a command asks for a verification or a repair of stored values, and the key that it shows. */
  verification: z.object({ address: z.url(), key: z.string() }).optional(),
})
/** Address and a local admin token of a running system. */
export type RunFile = z.infer<typeof RunFile>

const pathOf = (dataDir: string): string => join(dataDir, 'run.json')

/** Leaves `run.json` (0600) until the scope closes. */
export const leaveRunFile = (dataDir: string, run: RunFile): Effect.Effect<void, CannotRun, Scope.Scope> =>
  Effect.acquireRelease(writePrivateFile(pathOf(dataDir), `${JSON.stringify(run)}\n`), () =>
    Effect.sync(() => rmSync(pathOf(dataDir), { force: true })),
  )

/** The system that runs on a data folder, or null. A file left by a process that is gone counts as none. */
export const readRunFile = (dataDir: string): RunFile | null => {
  try {
    const run = RunFile.parse(JSON.parse(readFileSync(pathOf(dataDir), 'utf8')))
    process.kill(run.pid, 0)
    return run
  } catch {
    return null
  }
}
