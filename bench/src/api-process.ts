import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The API in a process of its own, with a token for it. */
export interface ApiProcess {
  readonly url: string
  readonly token: string
  /** Processor time that it has used, in seconds; undefined where the system does not tell. */
  readonly cpuSeconds: () => number | undefined
  /** The most memory that it has held, in MB; 0 where the system does not tell. */
  readonly peakRssMb: () => number
  readonly stop: () => Promise<void>
}

/** The program that serves it: `api` on a PostgreSQL, or the whole system on its embedded database. */
export type Program =
  | { readonly script: 'start:api'; readonly databaseUrl: string }
  | { readonly script: 'start'; readonly dataDir: string }

/**
 * Starts a program of the product on free ports, with its own defaults. If it ends before it
 * listens, the error has the end of its stderr.
 */
export async function startApiProcess(program: Program): Promise<ApiProcess> {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const [, ...command] = String(scripts[program.script]).split(' ')
  const token = randomBytes(20).toString('hex')
  const more = program.script === 'start' ? ['--gateway-port', '0', '--data-dir', program.dataDir] : []
  const child = spawn(process.execPath, [...command, '--port', '0', ...more], {
    cwd: root,
    env: {
      ...(program.script === 'start' ? {} : { DATABASE_URL: program.databaseUrl }),
      NETBOX_PBS_SECRET_KEY: randomBytes(32).toString('base64'),
      NETBOX_PBS_BOOTSTRAP_TOKEN: token,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let written = ''
  let lastErrors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    lastErrors = `${lastErrors}${text}`.slice(-2000)
  })
  const ended = once(child, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      written = `${written}${text}`.slice(-2000)
      const [, listensOn] = /(?:listens on|ready:) (http:\/\/[^/\s]+)[/\n]/.exec(written) ?? []
      if (listensOn !== undefined) resolve(listensOn)
    })
    ended.then(([code]) => reject(new Error(`the API ended with ${String(code)}: ${lastErrors}`)))
  })
  return {
    url,
    token,
    cpuSeconds: () => cpuSecondsOf(child.pid),
    peakRssMb: () => peakRssMbOf(child.pid),
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await ended
      if (code !== 0) throw new Error(`the API ended with ${String(code)}: ${lastErrors}`)
    },
  }
}

/** That of the process or of a child, of which the one that serves holds the most. */
function peakRssMbOf(pid: number | undefined): number {
  const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')
  const children = textOf(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean)
  return Math.max(
    ...[String(pid), ...children].map(
      (one) => Number(/^VmHWM:\s+(\d+) kB$/m.exec(textOf(`/proc/${one}/status`))?.[1] ?? 0) / 1024,
    ),
  )
}

/** Ticks of `/proc/<pid>/stat` a second, on every Linux. */
const ticks = 100

function cpuSecondsOf(pid: number | undefined): number | undefined {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  // The fields after the name in brackets begin with the third; user and system time are the 14th and 15th.
  const fields = readFileSync(file, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticks
}
