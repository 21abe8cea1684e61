import { Agent, get, type RequestOptions } from 'node:https'
import { asPart, cpuSince } from '../child.ts'
import type { SimulatorAnswer } from './simulator.ts'

/** How long it took, and how many snapshots there were. */
export interface DirectAnswer {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly snapshots: number
  /** Bytes of the lists. */
  readonly bytes: number
}

/**
 * The yardstick of the gateway: read the same lists from the same server, one after the other, and
 * `JSON.parse` each; do nothing with them.
 */
await asPart<SimulatorAnswer, DirectAnswer>(async ({ port, tokenId, secret }) => {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
  const cpuSeconds = cpuSince()
  const begun = performance.now()
  let [snapshots, bytes] = [0, 0]
  const list = async (path: string): Promise<ReadonlyArray<Readonly<Record<string, unknown>>>> => {
    const authorization = `PBSAPIToken=${tokenId}:${secret}`
    const body = await bodyOf({ agent, port, path: `/api2/json/admin/datastore${path}`, headers: { authorization } })
    bytes += body.length
    return JSON.parse(body.toString('utf8')).data
  }
  for (const { store } of await list('')) {
    for (const { ns } of await list(`/${String(store)}/namespace`)) {
      const within = ns === '' ? '' : `?ns=${encodeURIComponent(String(ns))}`
      await list(`/${String(store)}/groups${within}`)
      snapshots += (await list(`/${String(store)}/snapshots${within}`)).length
    }
  }
  agent.destroy()
  return { seconds: (performance.now() - begun) / 1000, cpuSeconds: cpuSeconds(), snapshots, bytes }
})

function bodyOf(options: RequestOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    get(options, (response) => {
      const parts: Array<Buffer> = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.once('end', () => resolve(Buffer.concat(parts)))
      response.once('error', reject)
    }).once('error', reject)
  })
}
