import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inject } from 'vitest'

/** A dump of an embedded database that is made once in a run. */
export interface DumpTemplate {
  /** Short and unique in the repository: `store-migrated`. */
  readonly name: string
  readonly prepare: () => Promise<Blob>
}

const held = new Map<string, Promise<Blob>>()

/**
 * The dump of a template: made by the test file that first asks for it, read by the others. Two
 * that ask at once may both make it.
 */
export function embeddedDump(template: DumpTemplate): Promise<Blob> {
  const { name } = template
  const dump = held.get(name) ?? readOrMake(template)
  held.set(name, dump)
  return dump
}

async function readOrMake({ name, prepare }: DumpTemplate): Promise<Blob> {
  const path = join(inject('dumpFolder'), name)
  const found = await readFile(path).catch(() => null)
  if (found !== null) return new Blob([found])
  const dump = await prepare()
  const unfinished = `${path}-${randomBytes(4).toString('hex')}`
  await writeFile(unfinished, Buffer.from(await dump.arrayBuffer()))
  await rename(unfinished, path)
  return dump
}
