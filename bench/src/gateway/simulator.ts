import { startSimulator } from '@netbox-pbs/pbs-simulator'
import { asPart } from '../child.ts'
import { evenFleet } from '../even-fleet.ts'
import { type LineQuality, slowLine } from './slow-line.ts'

/** The parts of the simulated server. */
export interface SimulatorTask {
  readonly snapshots: number
  /** Snapshots of a namespace; null: a few namespaces of many sizes. */
  readonly perNamespace: number | null
  /** What is between the server and the others; null: nothing. */
  readonly line: LineQuality | null
}

/** Where it listens, and a token that may read all of it. */
export interface SimulatorAnswer {
  readonly port: number
  readonly fingerprint: string
  readonly tokenId: string
  readonly secret: string
}

await asPart<SimulatorTask, SimulatorAnswer>(async ({ snapshots, perNamespace, line: quality }) => {
  const simulator = await startSimulator({
    ...{ host: '127.0.0.1', port: 0 },
    ...(perNamespace === null
      ? { name: 'pbs-a', snapshots, seed: 1 }
      : { fleet: evenFleet(snapshots, Math.floor(Date.now() / 1000), perNamespace) }),
  })
  const line = quality === null ? null : await slowLine(simulator.port, quality)
  process.once('disconnect', async () => {
    await line?.close()
    await simulator.close()
  })
  const { tokenId, secret } = simulator.tokens.audit
  return { port: line?.port ?? simulator.port, fingerprint: simulator.fingerprint, tokenId, secret }
})
