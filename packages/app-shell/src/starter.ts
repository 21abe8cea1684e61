import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** A process and the one that it was started by. */
interface Link {
  readonly pid: number
  readonly parent: number
}

const packageManager = /^(?:npm|npx|pnpm|yarn|corepack)(?:-cli)?(?:\.[cm]?js)?$/
const shell = /^(?:ba|da|z|k)?sh$/

/**
 * The package managers that started this process, such as `npx` with `pnpm` with a shell, nearest
 * first; empty when it was started directly, or where the system does not tell. They do not pass on
 * a signal that is sent to one of them alone, so a process that outlives them would run on without
 * anybody knowing.
 */
export function starters(): ReadonlyArray<Link> {
  const links: Array<Link> = [{ pid: process.pid, parent: process.ppid }]
  let known = 0
  for (let pid = process.ppid; pid > 1; ) {
    const name = nameOf(pid)
    if (packageManager.test(name)) known = links.length
    else if (!shell.test(name)) break
    const parent = parentOf(pid)
    if (parent === null) break
    links.push({ pid, parent })
    pid = parent
  }
  return links.slice(0, known)
}

/** Whether each of them still runs, as the child of the one above it. */
export const allRun = (links: ReadonlyArray<Link>): boolean =>
  links.every(({ pid, parent }) => (pid === process.pid ? process.ppid : parentOf(pid)) === parent)

/** The program that a process runs, by the name it gives itself. */
function nameOf(pid: number): string {
  const [first = '', second = ''] = read(`/proc/${pid}/cmdline`)?.split(/[\0 ]/) ?? []
  return basename(/^node/.test(basename(first)) ? second : first)
}

function parentOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`)
  // The name, in parentheses, may hold anything; the parent is the second word after it.
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
