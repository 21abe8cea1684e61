import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { runPart, startPart } from '../child.ts'
import type { Result } from '../measure.ts'
import type { DirectAnswer } from './direct.ts'
import type { GatewayAnswer, GatewayTask } from './gateway.ts'
import type { SimulatorAnswer, SimulatorTask } from './simulator.ts'

/** The size to measure. */
export interface GatewayOptions {
  readonly snapshots: number
  /** How often, alternating with the yardstick; the fastest round counts. */
  readonly rounds: number
  /** A folder for a CPU profile of the gateway; null: none. */
  readonly profiles: string | null
}

/**
 * A simulated server's snapshots as frames of the gateway, read but not parsed, compared with
 * reading and parsing the server's own lists.
 */
export async function gateway({ snapshots, rounds, profiles }: GatewayOptions): Promise<Result> {
  const simulator = await startPart<SimulatorTask, SimulatorAnswer>('gateway/simulator', { snapshots })
  const key = randomBytes(24).toString('hex')
  const flags = profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  const task = { simulator: simulator.answer, key }
  const served = await startPart<GatewayTask, GatewayAnswer>('gateway/gateway', task, flags)
  try {
    let seconds = Number.POSITIVE_INFINITY
    let direct = Number.POSITIVE_INFINITY
    let cpuSeconds = Number.POSITIVE_INFINITY
    let listed = 0
    for (let round = 0; round < rounds; round++) {
      const before = await served.usage()
      const begun = performance.now()
      await readFrames(served.answer.url, key)
      seconds = Math.min(seconds, (performance.now() - begun) / 1000)
      cpuSeconds = Math.min(cpuSeconds, (await served.usage()).cpuSeconds - before.cpuSeconds)
      const read = await runPart<SimulatorAnswer, DirectAnswer>('gateway/direct', simulator.answer)
      direct = Math.min(direct, read.seconds)
      listed = read.snapshots
    }
    const { peakRssMb } = await served.usage()
    const yardstick = { title: 'read and JSON.parse', seconds: direct }
    const rowsPerSecond = listed / seconds
    return { bench: 'gateway', case: 'snapshots', n: listed, seconds, cpuSeconds, rowsPerSecond, peakRssMb, yardstick }
  } finally {
    await served.stop()
    await simulator.stop()
  }
}

/** Reads a whole stream of snapshots; throws when it is not whole, or a scope of it failed. */
function readFrames(url: string, key: string): Promise<void> {
  const headers = { accept: 'application/x-ndjson', 'content-type': 'application/json', 'x-proxbox-api-key': key }
  return new Promise((resolve, reject) => {
    const call = request(`${url}/pbs/sync/snapshots`, { method: 'POST', headers, agent: false }, (response) => {
      let last: Buffer = Buffer.alloc(0)
      let failed = false
      response.on('data', (part: Buffer) => {
        failed ||= part.includes('{"frame":"failed"')
        last = part
      })
      response.once('end', () => {
        if (failed || !last.includes('{"frame":"end"')) reject(new Error('the stream of the gateway is not whole'))
        else resolve()
      })
      response.once('error', reject)
    })
    call.once('error', reject)
    call.end('{}')
  })
}
