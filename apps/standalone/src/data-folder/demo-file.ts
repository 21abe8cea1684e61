import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Effect } from 'effect'
import { z } from 'zod'
import type { CannotRun } from '../failures.ts'
import { writePrivateFile } from './private-file.ts'

/** What makes a simulated fleet again as it was: its flags, and its clock, in seconds. */
export const DemoFile = z.object({
  servers: z.int(),
  snapshots: z.int(),
  seed: z.int(),
  /** Its time when it was made. */
  born: z.int(),
  /** Its time when it was last seen. */
  now: z.int(),
})
/** A simulated fleet as a kept demo remembers it. */
export type DemoFile = z.infer<typeof DemoFile>

const pathOf = (dataDir: string): string => join(dataDir, 'demo.json')

/** The fleet of an earlier demo on this folder, or null. */
export const readDemoFile = (dataDir: string): DemoFile | null => {
  try {
    return DemoFile.parse(JSON.parse(readFileSync(pathOf(dataDir), 'utf8')))
  } catch {
    return null
  }
}

/** Remembers the fleet. */
export const writeDemoFile = (dataDir: string, demo: DemoFile): Effect.Effect<void, CannotRun> =>
  writePrivateFile(pathOf(dataDir), `${JSON.stringify(demo)}\n`)
