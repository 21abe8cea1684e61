import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** How folders begin into which a running system copies its database. */
export const copyPrefix = 'backup-'

/** How folders begin into which a restore writes what it then checks. */
export const stagePrefix = 'restore-'

const leftOver = new RegExp(`^(?:${copyPrefix}|${stagePrefix})[0-9a-f]{8}-[0-9a-f-]{27}$`)

/** Whether a name in a data folder is a copy or an unchecked restore, which a process that was killed leaves. */
export const isLeftOver = (name: string): boolean => leftOver.test(name)

/** Removes them. The data folder must be locked, and no committed restore be unfinished. */
export async function removeLeftOvers(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir))
    if (isLeftOver(name)) await rm(join(dataDir, name), { recursive: true, force: true })
}
