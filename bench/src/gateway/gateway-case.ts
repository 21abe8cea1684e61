import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { runPart, startPart } from '../child.ts'
import type { Result } from '../measure.ts'
import type { DirectAnswer } from './direct.ts'
import type { GatewayAnswer, GatewayTask } from './gateway.ts'
import type { SimulatorAnswer, SimulatorTask } from './simulator.ts'
import type { LineQuality } from './slow-line.ts'

/** The size to measure. */
export interface GatewayOptions extends SimulatorTask {
  /** How often, alternating with the yardstick; the fastest round counts. */
  readonly rounds: number
  /** A folder for a CPU profile of the gateway; null: none. */
  readonly profiles: string | null
}

/**
 * A simulated server's snapshots as frames of the gateway, read but not parsed, compared with
 * reading and parsing the server's own lists; over a line with what the line alone needs.
 */
export async function gateway({ rounds, profiles, ...options }: GatewayOptions): Promise<Result> {
  const simulator = await startPart<SimulatorTask, SimulatorAnswer>('gateway/simulator', options)
  const key = randomBytes(24).toString('hex')
  const flags = profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  const task = { simulator: simulator.answer, key }
  const served = await startPart<GatewayTask, GatewayAnswer>('gateway/gateway', task, flags)
  try {
    let seconds = Number.POSITIVE_INFINITY
    const yardstick = { title: 'read and JSON.parse', seconds, cpuSeconds: seconds }
    let cpuSeconds = Number.POSITIVE_INFINITY
    let [listed, bytes] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      const before = await served.usage()
      const begun = performance.now()
      await readFrames(served.answer.url, key)
      seconds = Math.min(seconds, (performance.now() - begun) / 1000)
      cpuSeconds = Math.min(cpuSeconds, (await served.usage()).cpuSeconds - before.cpuSeconds)
      const read = await runPart<SimulatorAnswer, DirectAnswer>('gateway/direct', simulator.answer)
      yardstick.seconds = Math.min(yardstick.seconds, read.seconds)
      yardstick.cpuSeconds = Math.min(yardstick.cpuSeconds, read.cpuSeconds)
      listed = read.snapshots
      bytes = read.bytes
    }
    const { peakRssMb } = await served.usage()
    return {
      ...{ bench: 'gateway', case: 'snapshots', n: listed, seconds, cpuSeconds, rowsPerSecond: listed / seconds },
      ...{ peakRssMb, yardstick },
      ...(options.line === null ? {} : { lineSeconds: secondsOnLine(options.line, bytes) }),
    }
  } finally {
    await served.stop()
    await simulator.stop()
  }
}

/**
 * The longest chain of what must wait for each other: the connection, its encryption, the permissions, and the lists of
 * datastores, namespaces, groups and snapshots.
 */
const roundTrips = 7

/** What the line alone needs for the lists: their bytes, and a round trip for each request that needs the answer to another. */
const secondsOnLine = ({ latencyMs, mbits }: LineQuality, bytes: number): number =>
  (roundTrips * latencyMs) / 1000 + (mbits === null ? 0 : (bytes * 8) / (mbits * 1e6))

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
