import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Rights of the group and of others. */
const others = 0o077

/**
 * Makes a folder that only its owner may enter, or takes the rights of others from one that is
 * there. Fails with `EPERM` where it belongs to another user.
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  await makeFolders(folder)
  await makePrivate(folder, 0o700)
}

/**
 * Makes a folder and those above it, for their owner only. One level at a time: where a parent is there and refuses its
 * children with `ENOENT`, as `/proc` does, Node's recursive `mkdir` never ends.
 */
export async function makeFolders(folder: string): Promise<void> {
  if (await isThere(folder)) return
  const parent = dirname(folder)
  if (parent !== folder) await makeFolders(parent)
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    // Another process was faster.
    if (!(await isThere(folder))) throw error
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Removes the rights of others from everything in a folder. */
export async function makeContentsPrivate(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isDirectory() || entry.isFile())
      await makePrivate(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600)
}

async function makePrivate(path: string, mode: number): Promise<void> {
  if (((await stat(path)).mode & others) !== 0) await chmod(path, mode)
}
