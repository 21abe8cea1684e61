import { setTimeout } from 'node:timers/promises'
import { createRandom } from '@netbox-pbs/pbs-simulator'
import { faultsOfLog, rememberRows } from './change-log.ts'
import { type CrashOptions, type Kill, planKills } from './crash-plan.ts'
import { CrashSource } from './crash-source.ts'
import { CrashSystem, workerName } from './crash-system.ts'
import { judge, type Look } from './judge.ts'
import { leftOver } from './left-over.ts'
import { type Seen, seen } from './phases.ts'
import { differingScopes, scopeDigests } from './scope-digests.ts'
import { differencesFromSource } from './stored-inventory.ts'

/** The result of the harness. */
export interface CrashReport {
  /** Kills in the middle of a sync. */
  readonly kills: number
  readonly rounds: number
  /** Times that main was looked at after a kill. */
  readonly looks: number
  /** The looks that found both old and new scopes. */
  readonly between: number
  /** From a round's last kill to the end of its run, in milliseconds. */
  readonly recoveries: ReadonlyArray<number>
  /** One sentence each; none: every promise held. */
  readonly faults: ReadonlyArray<string>
}

/**
 * Longest that a run may take to be picked up again and end; generous, as a machine may be busy and
 * retries back off.
 */
const patience = 600_000

/** How long a kill waits for its phase while there are workers at a job; then it comes in any. */
const choosy = 2000

/**
 * Syncs a changing fleet while workers, gateway and database are killed, and judges every state
 * that main was seen in.
 */
export async function crash(options: CrashOptions, print: (line: string) => void): Promise<CrashReport> {
  const random = createRandom(options.seed)
  const source = await CrashSource.start(options.servers, options.snapshots, options.seed)
  try {
    const system = await CrashSystem.start()
    try {
      return await new Rounds(system, source, planKills(options, random), options, print).all()
    } finally {
      await system.stop()
    }
  } finally {
    await source.close()
  }
}

class Rounds {
  readonly #left: Array<Kill>
  readonly #faults: Array<string> = []
  readonly #recoveries: Array<number> = []
  #rounds = 0
  #looks = 0
  #between = 0

  constructor(
    private readonly system: CrashSystem,
    private readonly source: CrashSource,
    private readonly kills: ReadonlyArray<Kill>,
    private readonly options: CrashOptions,
    private readonly print: (line: string) => void,
  ) {
    this.#left = [...kills]
  }

  async all(): Promise<CrashReport> {
    for (const { name, host, port, fingerprint, tokens } of this.source.servers) {
      const { tokenId: token_id, secret: token_secret } = tokens.audit
      await this.system.create('servers', { name, host, port, fingerprint, token_id, token_secret })
    }
    await this.#round({ first: false })
    while (this.#left.length > 0 && this.#faults.length === 0) {
      this.source.change()
      await this.#round({ first: true })
      // Rows that the source has lost are deleted by the second list that lacks them.
      if (this.#faults.length === 0) await this.#round({ first: false })
    }
    const { system } = this
    await system.allUp()
    this.#faults.push(...(await system.dead()))
    return {
      kills: this.kills.length - this.#left.length,
      rounds: this.#rounds,
      looks: this.#looks,
      between: this.#between,
      recoveries: this.#recoveries,
      faults: this.#faults,
    }
  }

  /** One sync with some kills, judged when it has ended. `first`: it is the first one since the source changed. */
  async #round(since: { readonly first: boolean }): Promise<void> {
    const { system } = this
    this.#rounds++
    const before = await scopeDigests(system)
    await rememberRows(system)
    const { id } = await system.create('sync-runs', {})
    const looks = await this.#killDuring(id)
    const last = performance.now()
    const status = await this.#ended(id)
    if (looks.length > 0) this.#recoveries.push(performance.now() - last)
    const left = await until(async () => ((await leftOver(system, since)).length === 0 ? true : null))
    const after = await scopeDigests(system)
    const judged = judge(before, looks, after)
    this.#looks += looks.length
    this.#between += judged.between
    this.#faults.push(...judged.faults)
    if (status !== 'completed') this.#faults.push(`run ${id} ended ${status}: ${await this.#failures(id)}`)
    if (left === null) this.#faults.push(...(await leftOver(system, since)))
    this.#faults.push(...(await system.storedFaults()))
    const differences = await differencesFromSource(system, this.source.states, since)
    if (differences.length > 0)
      this.#faults.push(`${differences.length} differences from the source, such as ${differences.slice(0, 3)}`)
    this.#faults.push(...(await faultsOfLog(system, id)))
    const seconds = ((performance.now() - last) / 1000).toFixed(1)
    this.print(
      `round ${this.#rounds}: run ${id} ${status} and cleared up ${seconds} s after its last kill; ${differingScopes(before, after).length} scopes changed, ` +
        `${after.size} in all; ${this.#faults.length === 0 ? 'equal to the source, log and stored values true' : this.#faults.join('\n  ')}`,
    )
  }

  /** Kills processes while the run goes on; a kill that finds the run ended waits for the next one. */
  async #killDuring(run: number): Promise<ReadonlyArray<Look>> {
    const looks: Array<Look> = []
    const most = this.#rounds === 1 && this.options.quietFirst ? 0 : this.options.perRound
    while (looks.length < most) {
      const kill = this.#left[0]
      if (kill === undefined) break
      if (kill.victim === 'database') await this.system.allUp()
      const found = await this.#waitFor(run, kill)
      if (found === null) break
      const killed = await this.#killOne(kill, found)
      this.#left.shift()
      const digests = await scopeDigests(this.system)
      const after = `kill ${this.kills.length - this.#left.length} of ${this.kills.length}: ${killed}`
      looks.push({ after, digests })
      this.print(after)
    }
    return looks
  }

  /**
   * Waits until a worker is in the phase, and then a little; says in which one the kill finds it.
   * Null: the run ended before.
   */
  async #waitFor(run: number, { phase, jitter }: Kill): Promise<Seen | null> {
    let since: number | null = null
    const found = await until(async () => {
      if (await this.#over(run)) return 'over' as const
      const busy = await seen(this.system)
      if (busy.length > 0) since ??= performance.now()
      const late = since !== null && performance.now() - since > choosy
      const ripe = busy.find((one) => late || one.phase === phase)
      if (ripe === undefined) return null
      await setTimeout(jitter)
      return (await seen(this.system)).find(({ worker }) => worker === ripe.worker) ?? null
    }, 3)
    return found === null || found === 'over' || (await this.#over(run)) ? null : found
  }

  async #killOne({ victim, signal }: Kill, { worker, phase }: Seen): Promise<string> {
    const { system } = this
    switch (victim) {
      case 'worker':
        await system.killWorker(worker)
        system.startWorker(worker)
        return `${workerName(worker)} killed while ${phase}`
      case 'gateway':
        await system.killGateway()
        await system.startGateway()
        return `gateway killed while ${workerName(worker)} was ${phase}`
      case 'database':
        await system.restartDatabase(signal)
        return `database ended by ${signal} while ${workerName(worker)} was ${phase}`
    }
  }

  async #ended(run: number): Promise<string> {
    const status = await until(async () => {
      const rows = await this.system.sql<{ status: string }>('select status from runs where id = $1', [run])
      return ['pending', 'running'].includes(rows[0]?.status ?? '') ? null : (rows[0]?.status ?? 'vanished')
    }, 100)
    return status ?? 'not at all'
  }

  async #over(run: number): Promise<boolean> {
    const rows = await this.system.sql("select from runs where id = $1 and status in ('pending', 'running')", [run])
    return rows.length === 0
  }

  async #failures(run: number): Promise<string> {
    const scopes = await this.system.sql(
      "select scope, reason from run_scopes where run_id = $1 and outcome in ('failed', 'held_back')",
      [run],
    )
    const jobs = await this.system.sql(
      "select server_id, state, error from run_jobs where run_id = $1 and (error <> '' or state <> 'ended')",
      [run],
    )
    return JSON.stringify([...scopes, ...jobs]).slice(0, 2000)
  }
}

/** Asks again and again until there is an answer; null when there is none in all patience. */
async function until<A>(ask: () => Promise<A | null>, pause = 50): Promise<A | null> {
  const end = performance.now() + patience
  for (;;) {
    const answer = await ask()
    if (answer !== null || performance.now() > end) return answer
    await setTimeout(pause)
  }
}
