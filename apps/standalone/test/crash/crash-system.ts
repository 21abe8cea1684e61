import { Database } from '@netbox-pbs/store-postgres'
import { type PostgresServer, startPostgres } from '@netbox-pbs/testing'
import { Redacted } from 'effect'
import pg from 'pg'
import { SystemProcess } from '../support/process.ts'
import { type Rest, request } from '../support/rest.ts'
import { storedFaults } from '../support/stored-values.ts'

const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64')
const token = 'nbt_crashharness.0123456789012345678901234567890123456789'
const gatewayKey = 'a-gateway-key-of-enough-characters'

/** Seconds after which a silent worker is held to be lost: the shortest that it takes. */
const heartbeatTimeout = '10'

/** A PostgreSQL server, a gateway, an api and two workers as processes of their own, each of which may be killed. */
export class CrashSystem {
  readonly #workers: Array<SystemProcess | undefined> = []
  readonly #starting = new Map<number, Promise<void>>()
  #pool: pg.Pool
  #gateway: SystemProcess | undefined
  #gatewayUrl = ''
  #api: SystemProcess | undefined
  #rest: Rest = { url: '', token }

  private constructor(private readonly postgres: PostgresServer) {
    this.#pool = newPool(postgres.url)
    process.once('exit', this.#kill)
  }

  static async start(): Promise<CrashSystem> {
    const system = new CrashSystem(await startPostgres({ durable: true }))
    try {
      await system.startGateway()
      system.#api = SystemProcess.start('api', ['--port', '0'], {
        env: { ...system.#shared('api'), NETBOX_PBS_BOOTSTRAP_TOKEN: token },
      })
      system.#rest = { url: await listens(system.#api), token }
      for (const index of [0, 1]) system.startWorker(index)
      await system.allUp()
      return system
    } catch (cause) {
      await system.stop()
      throw cause
    }
  }

  /** Starts the gateway, or another in place of one that was killed. */
  async startGateway(): Promise<void> {
    const port = this.#gatewayUrl === '' ? '0' : new URL(this.#gatewayUrl).port
    this.#gateway = SystemProcess.start('gateway', ['--port', port], {
      env: {
        DATABASE_URL: this.#databaseUrl('gateway'),
        NETBOX_PBS_GATEWAY_SECRET_KEY: key(1),
        NETBOX_PBS_GATEWAY_KEY: gatewayKey,
      },
    })
    this.#gatewayUrl = await listens(this.#gateway)
  }

  /** Starts a worker, or another in place of one that was killed; its sessions in the database carry its name. */
  startWorker(index: number): void {
    const args = ['--concurrency', '1', '--heartbeat-timeout', heartbeatTimeout]
    const worker = SystemProcess.start('worker', args, { env: this.#shared(workerName(index)) })
    this.#workers[index] = worker
    const up = worker.line(/^The worker takes/).then(() => void this.#starting.delete(index))
    // The failure reaches the caller that waits for this worker.
    up.catch(() => undefined)
    this.#starting.set(index, up)
  }

  /** Whether a worker has started and can be at a job. */
  isUp(index: number): boolean {
    return !this.#starting.has(index)
  }

  /** A worker that finds no database when it starts ends, which would be no crash but a refusal. */
  async allUp(): Promise<void> {
    await Promise.all(this.#starting.values())
  }

  async killWorker(index: number): Promise<void> {
    await this.#workers[index]?.stop('SIGKILL')
  }

  async killGateway(): Promise<void> {
    await this.#gateway?.stop('SIGKILL')
  }

  /** Crashes the database and starts it again; the processes have to recover by themselves. */
  async restartDatabase(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void> {
    const broken = this.#pool
    await this.postgres.crash(signal)
    await this.postgres.restart()
    this.#pool = newPool(this.postgres.url)
    await broken.end()
  }

  /** The processes that should be alive and are not, with their last words. */
  async dead(): Promise<ReadonlyArray<string>> {
    const processes = {
      gateway: this.#gateway,
      api: this.#api,
      [workerName(0)]: this.#workers[0],
      [workerName(1)]: this.#workers[1],
    }
    const found = []
    for (const [name, process] of Object.entries(processes)) {
      if (process === undefined || process.alive) continue
      const { code, stdout, stderr } = await process.outcome()
      found.push(`${name} ended with ${code}: ${(stdout + stderr).slice(-2000)}`)
    }
    return found
  }

  /** One statement of the harness. */
  async sql<Row extends pg.QueryResultRow>(
    text: string,
    values: ReadonlyArray<unknown> = [],
  ): Promise<ReadonlyArray<Row>> {
    return (await this.#pool.query<Row>(text, [...values])).rows
  }

  /** What the database has stored that does not follow from its rows. */
  async storedFaults(): Promise<ReadonlyArray<string>> {
    return await storedFaults(Database.layerPg({ url: Redacted.make(this.#databaseUrl('harness')) }))
  }

  /** A request to the api that must be answered with 201. */
  async create(path: string, body: unknown): Promise<{ readonly id: number }> {
    const { status, json } = await request(this.#rest, 'POST', `/api/plugins/pbs/${path}/`, body)
    if (status !== 201) throw new Error(`POST ${path} answered ${status}: ${JSON.stringify(json)}`)
    return json as { id: number } // border: the row of a 201
  }

  async stop(): Promise<void> {
    this.#kill()
    process.off('exit', this.#kill)
    await this.#pool.end()
    await this.postgres.stop()
  }

  readonly #kill = (): void => {
    for (const process of [...this.#workers, this.#api, this.#gateway]) process?.kill()
  }

  #shared(name: string): Record<string, string> {
    return {
      DATABASE_URL: this.#databaseUrl(name),
      NETBOX_PBS_SECRET_KEY: key(2),
      NETBOX_PBS_GATEWAY_URL: this.#gatewayUrl,
      NETBOX_PBS_GATEWAY_KEY: gatewayKey,
    }
  }

  #databaseUrl(name: string): string {
    return `${this.postgres.url}?application_name=${name}`
  }
}

/** How a worker's sessions are named in the database. */
export const workerName = (index: number): string => `worker-${index + 1}`

const listens = async (process: SystemProcess): Promise<string> => (await process.line(/listens on (\S+)$/))[1] ?? ''

function newPool(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 2, application_name: 'harness' })
  // The harness crashes the server under its own sessions too.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}
