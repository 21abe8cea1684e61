import { randomUUID } from 'node:crypto'
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Effect, type Scope } from 'effect'
import { DataFolderInUse, DataFolderUnusable } from './errors.ts'
import { makePrivateFolder } from './private-folder.ts'

/**
 * Folders this process has open: its own pid in a lock file does not tell a second opening from a
 * file left by its predecessor of the same pid.
 */
const open = new Set<string>()

/**
 * Takes a data folder for this process until the scope closes, by a lock file with a pid next to
 * the database. A lock file of a process that no longer runs is taken over.
 */
export function lockFolder(folder: string): Effect.Effect<void, DataFolderInUse | DataFolderUnusable, Scope.Scope> {
  const path = resolve(folder)
  return Effect.acquireRelease(
    Effect.tryPromise({
      try: () => acquire(path),
      catch: (cause) =>
        cause instanceof DataFolderInUse ? cause : new DataFolderUnusable({ folder: path, reason: 'files', cause }),
    }),
    () => Effect.promise(() => release(path)),
  )
}

const lockFile = (folder: string): string => `${folder}/netbox-pbs.lock`

async function acquire(folder: string): Promise<void> {
  if (open.has(folder)) throw new DataFolderInUse({ folder, pid: process.pid })
  open.add(folder)
  try {
    await makePrivateFolder(folder)
    const holder = `${process.pid} ${await startedAt(process.pid)}\n`
    while (!(await create(folder, holder))) await clearStale(folder)
  } catch (cause) {
    open.delete(folder)
    throw cause
  }
}

async function release(folder: string): Promise<void> {
  await unlink(lockFile(folder)).catch(() => undefined)
  open.delete(folder)
}

/** A link is created completely or not at all, so no process reads a partly written lock. */
async function create(folder: string, holder: string): Promise<boolean> {
  const draft = `${lockFile(folder)}.${randomUUID()}`
  await writeFile(draft, holder, { mode: 0o600 })
  try {
    await link(draft, lockFile(folder))
    return true
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return false
    throw cause
  } finally {
    await unlink(draft)
  }
}

async function clearStale(folder: string): Promise<void> {
  const found = await read(lockFile(folder))
  if (found === null) return
  const [pid = 0, started = ''] = [Number(found.split(' ')[0]), found.split(' ')[1]?.trim()]
  if (pid !== process.pid && (await runs(pid, started))) throw new DataFolderInUse({ folder, pid })
  const aside = `${lockFile(folder)}.${randomUUID()}`
  await rename(lockFile(folder), aside).catch((cause: unknown) => {
    if (!hasCode(cause, 'ENOENT')) throw cause
  })
  // Another process may have taken over between the read and the rename: then the file moved aside
  // is its lock.
  const moved = await read(aside)
  if (moved !== null && moved !== found) await link(aside, lockFile(folder)).catch(() => undefined)
  await unlink(aside).catch(() => undefined)
}

/** A pid that is used again belongs to another process when it started at another time. */
async function runs(pid: number, started: string): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (cause) {
    if (!hasCode(cause, 'EPERM')) return false
  }
  const now = await startedAt(pid)
  return started === '' || now === '' || now === started
}

/** When a process started, in the system's own ticks; empty where the system does not tell. */
async function startedAt(pid: number): Promise<string> {
  const stat = await read(`/proc/${pid}/stat`)
  // The name, in parentheses, may hold spaces; the start is the 20th word after it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

async function read(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    if (hasCode(cause, 'ENOENT')) return null
    throw cause
  })
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}
