import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Effect } from 'effect'
import { CannotRun } from '../failures.ts'

/** Writes a file that only its owner may read, whole or not at all; its folder is made when it is not there. */
export const writePrivateFile = (path: string, text: string): Effect.Effect<void, CannotRun> =>
  Effect.try({
    try: () => {
      const draft = `${path}.${randomUUID()}`
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      try {
        writeFileSync(draft, text, { mode: 0o600 })
        renameSync(draft, path)
      } finally {
        rmSync(draft, { force: true })
      }
    },
    catch: (cause) =>
      new CannotRun({
        message: `cannot write ${path}: check the rights of its folder, or choose another with --data-dir`,
        cause,
      }),
  })
