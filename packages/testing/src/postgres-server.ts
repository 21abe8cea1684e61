import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { postgresBinaries, type ServerUser, serverUser } from './postgres-binaries.ts'

/** A PostgreSQL server of this process. */
export interface PostgresServer {
  /** Of its maintenance database, with the rights of a superuser. */
  readonly url: string
  /**
   * Ends the server at once, as a crash does, and writes nothing back; the data stays. `SIGKILL`
   * ends the postmaster alone, whose sessions notice it later, `SIGQUIT` (immediate shutdown) all
   * processes.
   */
  readonly crash: (signal: 'SIGKILL' | 'SIGQUIT') => Promise<void>
  /** Starts a crashed server again, on its data and port; it recovers first. */
  readonly restart: () => Promise<void>
  /** Ends the server and removes its data. */
  readonly stop: () => Promise<void>
}

/** How to start a server. */
export interface PostgresOptions {
  /** Keeps committed data through a crash, as production servers do. */
  readonly durable?: boolean
}

/** Settings that make tests fast and would lose data in a power cut. */
const forTestsOnly = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'autovacuum=off']

type Child = ReturnType<typeof start>

function start(program: string, args: ReadonlyArray<string>, user: ServerUser | null) {
  return spawn(program, args, { ...user, stdio: ['ignore', 'ignore', 'pipe'] })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return address.port
}

/** Waits for a program to do its work; its error output is the reason when it fails. */
async function ended(child: Child): Promise<void> {
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${child.spawnfile} ended with ${code}: ${output}`)
}

/** Resolves when the server takes connections; rejects, with its output, when it ends before. */
function ready(child: Child): Promise<void> {
  let output = ''
  return new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      // Kept short: the text is not read once the server is up, but the pipe must be drained.
      output = (output + text).slice(-4000)
      if (output.includes('ready to accept connections')) resolve()
    })
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`postgres ended with ${code}: ${output}`)))
  })
}

/**
 * A killed server's sessions hold its memory until they see that it is gone; PostgreSQL does not start
 * before they end.
 */
async function untilAlone<A>(serve: () => Promise<A>): Promise<A> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await serve()
    } catch (cause) {
      if (tries === 100 || !String(cause).includes('still in use')) throw cause
      await setTimeout(100)
    }
  }
}

/**
 * Starts a PostgreSQL server on a free port of 127.0.0.1, with its data in a temporary folder. It
 * ends with `stop`, and also when this process exits without calling it.
 */
export async function startPostgres({ durable = false }: PostgresOptions = {}): Promise<PostgresServer> {
  const user = serverUser()
  const folder = await mkdtemp(join(tmpdir(), 'netbox-pbs-postgres-'))
  let child: Child | undefined
  const atExit = () => {
    child?.kill('SIGQUIT')
    // At exit nothing can be awaited, and a server that is still ending would write into the
    // removed folder.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  process.once('exit', atExit)
  try {
    // initdb needs an empty folder that the server's user can reach.
    await chmod(folder, 0o755)
    const data = join(folder, 'data')
    await mkdir(data, { mode: 0o700 })
    const passwordFile = join(folder, 'password')
    const password = randomBytes(18).toString('base64url')
    await writeFile(passwordFile, password, { mode: 0o600 })
    if (user !== null) for (const path of [data, passwordFile]) await chown(path, user.uid, user.gid)
    const bin = join(await postgresBinaries(user, join(folder, 'postgres')), 'bin')

    const initdb = ['-D', data, '-U', 'postgres', '--auth=password', `--pwfile=${passwordFile}`, '--no-sync']
    child = start(join(bin, 'initdb'), [...initdb, '--encoding=UTF8', '--locale=C'], user)
    await ended(child)
    const port = await freePort()
    const settings = [
      ...(durable ? [] : forTestsOnly),
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=300',
      'shared_buffers=64MB',
    ]
    const serve = async () => {
      const server = start(
        join(bin, 'postgres'),
        ['-D', data, '-p', String(port), ...settings.flatMap((s) => ['-c', s])],
        user,
      )
      child = server
      await ready(server)
      return server
    }
    let server = await serve()
    const end = async (signal: NodeJS.Signals) => {
      if (server.exitCode !== null || server.signalCode !== null) return
      server.kill(signal)
      await once(server, 'exit')
    }
    const restart = async () => {
      server = await untilAlone(serve)
    }
    const stop = async () => {
      // A fast shutdown: it ends sessions instead of waiting for them.
      await end('SIGINT')
      await rm(folder, { recursive: true, force: true })
      // The handler stays until here, because the process may exit during the awaits above.
      process.off('exit', atExit)
    }
    return { url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, crash: end, restart, stop }
  } catch (cause) {
    process.off('exit', atExit)
    await rm(folder, { recursive: true, force: true })
    throw cause
  }
}
