import { Agent, get, type RequestOptions } from 'node:https'
import { asPart } from '../child.ts'
import type { SimulatorAnswer } from './simulator.ts'

/** How long it took, and how many snapshots there were. */
export interface DirectAnswer {
  readonly seconds: number
  readonly snapshots: number
}

/**
 * The yardstick of the gateway: read the same lists from the same server, one after the other, and
 * `JSON.parse` each; do nothing with them.
 */
await asPart<SimulatorAnswer, DirectAnswer>(async ({ port, tokenId, secret }) => {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
  const begun = performance.now()
  let snapshots = 0
  const list = async (path: string): Promise<ReadonlyArray<Readonly<Record<string, unknown>>>> => {
    const authorization = `PBSAPIToken=${tokenId}:${secret}`
    const text = await bodyOf({ agent, port, path: `/api2/json/admin/datastore${path}`, headers: { authorization } })
    return JSON.parse(text).data
  }
  for (const { store } of await list('')) {
    for (const { ns } of await list(`/${String(store)}/namespace`)) {
      const within = ns === '' ? '' : `?ns=${encodeURIComponent(String(ns))}`
      await list(`/${String(store)}/groups${within}`)
      snapshots += (await list(`/${String(store)}/snapshots${within}`)).length
    }
  }
  agent.destroy()
  return { seconds: (performance.now() - begun) / 1000, snapshots }
})

function bodyOf(options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    get(options, (response) => {
      const parts: Array<Buffer> = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.once('end', () => resolve(Buffer.concat(parts).toString('utf8')))
      response.once('error', reject)
    }).once('error', reject)
  })
}
