import type { PGlite, Results, Transaction } from '@electric-sql/pglite'
import { PreparedStatements } from './prepared-statements.ts'
import { never, type SimulatedProcess } from './simulated-process.ts'
import type { World } from './world.ts'

/**
 * What may happen to a statement. `lost`: the connection breaks before it is sent; `unanswered`: it is carried out,
 * and the connection breaks before the answer; `conflict`: another transaction was first; `crash` and `crash_after`:
 * the process is killed before it, or between it and its answer.
 */
export const statementFaults = ['lost', 'unanswered', 'conflict', 'slow', 'crash', 'crash_after'] as const
export type StatementFault = (typeof statementFaults)[number]

/** A fault that waits for a statement of a process. */
interface Armed {
  readonly process: SimulatedProcess
  readonly fault: StatementFault
  /** Statements to pass before. */
  after: number
}

const brokenConnection = () => Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' })
const conflict = () =>
  Object.assign(new Error('could not serialize access due to concurrent update'), { code: '40001' })

type Statement = (statements: PreparedStatements) => unknown

/**
 * One embedded engine, and connections of processes to it. Transactions come one after the other, as the engine has
 * one session; between them any order is possible.
 */
export class SimulatedDatabase {
  readonly #world: World
  readonly #statements: PreparedStatements
  /** How many statements the processes have sent. */
  sent = 0
  #armed: Array<Armed> = []
  readonly #lines = new Map<string, string>()
  #tail: Promise<void> = Promise.resolve()
  #holders = 0
  readonly #onFault: (fault: StatementFault) => void
  /** How a transaction ends whose process was killed; only to show that the judge notices. */
  endOfKilled: 'rollback' | 'commit' = 'rollback'

  constructor(world: World, pglite: PGlite, onFault: (fault: StatementFault) => void) {
    this.#world = world
    this.#statements = new PreparedStatements(pglite)
    this.#onFault = onFault
  }

  /** Whether no process has the session or waits for it. */
  get isFree(): boolean {
    return this.#holders === 0
  }

  arm(process: SimulatedProcess, fault: StatementFault, after: number): void {
    this.#armed.push({ process, fault, after })
  }

  disarm(): void {
    this.#armed = []
  }

  /** A statement of the judge, apart from the simulation; the session must be free. */
  async ask<Row extends object>(text: string, values: ReadonlyArray<unknown> = []): Promise<ReadonlyArray<Row>> {
    if (!this.isFree) throw new Error('the judge asks while the session is taken')
    return this.#statements.query<Row>(text, values).rows
  }

  /** The session has ended whatever transaction was open in it. */
  async #rollback(): Promise<void> {
    await this.#call((statements) => statements.exec('rollback'))
  }

  async #call<A>(run: (statements: PreparedStatements) => A): Promise<A> {
    this.#world.running += 1
    this.sent += 1
    try {
      return run(this.#statements)
    } finally {
      this.#world.running -= 1
    }
  }

  async #take(): Promise<() => void> {
    const before = this.#tail
    let release = () => {}
    this.#tail = new Promise((resolve) => {
      release = resolve
    })
    this.#holders += 1
    await before
    return () => {
      this.#holders -= 1
      release()
    }
  }

  #faultOf(process: SimulatedProcess): StatementFault | null {
    const armed = this.#armed.find((one) => one.process === process)
    if (armed === undefined) return null
    if (armed.after > 0) {
      armed.after -= 1
      return null
    }
    this.#armed = this.#armed.filter((one) => one !== armed)
    return armed.fault
  }

  /** The beginning of a statement in one line, as the trace has it. */
  #shown(text: string): string {
    const known = this.#lines.get(text)
    if (known !== undefined) return known
    const line = text.replaceAll(/\s+/g, ' ').trim().slice(0, 300)
    if (this.#lines.size < 3000) this.#lines.set(text, line)
    return line
  }

  /** The connection of a process, as far as the store uses one of the engine. */
  connectionOf(process: SimulatedProcess): PGlite {
    /** Carries a statement out, with the fault that waits for it. Throws when the connection is broken. */
    const statement = async (text: string, run: Statement): Promise<unknown> => {
      if (!process.isAlive) return never()
      const fault = this.#faultOf(process)
      this.#world.note(`${process.name} ${fault === null ? '' : `(${fault}) `}${this.#shown(text)}`)
      if (fault !== null) this.#onFault(fault)
      switch (fault) {
        case 'crash':
          process.kill()
          return never()
        case 'lost':
          throw brokenConnection()
        case 'conflict':
          throw conflict()
        case 'slow':
          await this.#world.pause(1 + this.#world.chance.upTo(20_000))
      }
      const result = await this.#call(run)
      if (!process.isAlive) return never()
      if (fault === 'crash_after') {
        process.kill()
        return never()
      }
      if (fault === 'unanswered') throw brokenConnection()
      return result
    }

    /** Holds the session for some work, and ends its transaction when the process is killed. */
    const hold = async <A>(work: () => Promise<A>): Promise<A> => {
      if (!process.isAlive) return never()
      const release = await this.#take()
      if (!process.isAlive) {
        release()
        return never()
      }
      let takeBack = () => {}
      const killed = new Promise<'killed'>((resolve) => {
        takeBack = process.onKill(() => resolve('killed'))
      })
      const done = work().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      )
      const outcome = await Promise.race([done, killed])
      takeBack()
      if (outcome === 'killed') {
        await this.#call((statements) => statements.exec(this.endOfKilled))
        release()
        return never()
      }
      release()
      if ('error' in outcome) throw outcome.error
      return outcome.value
    }

    const transaction = <A>(use: (trx: Transaction) => Promise<A>): Promise<A> =>
      hold(async () => {
        // The driver of kysely waits without end for one that fails; its first statement may fail instead.
        await this.#call((statements) => statements.exec('begin'))
        let broken: Error | null = null
        const inside = async (text: string, run: Statement): Promise<unknown> => {
          if (broken !== null) throw broken
          try {
            return await statement(text, run)
          } catch (error) {
            if (error instanceof Error && 'code' in error && (error.code === '08006' || error.code === '40001')) {
              broken = error
              await this.#rollback()
            }
            throw error
          }
        }
        const trx = {
          closed: false,
          query: (text: string, values?: Array<unknown>, options?: object) =>
            inside(text, (statements) => statements.query(text, values, options)),
          exec: (text: string, options?: object) => inside(text, (statements) => statements.exec(text, options)),
          rollback: () => inside('rollback', (statements) => statements.exec('rollback')),
        }
        let value: A
        try {
          value = await use(trx as unknown as Transaction) // border: the part of a transaction that the store uses
        } catch (error) {
          if (broken === null)
            await statement('rollback', (statements) => statements.exec('rollback')).catch(() => this.#rollback())
          throw error
        }
        await inside('commit', (statements) => statements.exec('commit'))
        return value
      })

    const connection = {
      closed: false,
      ready: true,
      waitReady: Promise.resolve(),
      query: (text: string, values?: Array<unknown>, options?: object): Promise<Results> =>
        hold(() => statement(text, (statements) => statements.query(text, values, options)) as Promise<Results>),
      exec: (text: string, options?: object) =>
        hold(async () => {
          try {
            return await statement(text, (statements) => statements.exec(text, options))
          } catch (error) {
            // Several statements in one text may have begun a transaction.
            await this.#rollback()
            throw error
          }
        }),
      transaction,
      close: () => Promise.resolve(),
    }
    return connection as unknown as PGlite // border: the part of the engine that the store and its queue use
  }
}
