import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import type { SimulatedToken, Simulator } from '../src/index.ts'

/** An answer as it came off the wire. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
}

export interface Asking {
  readonly method?: string
  /** Default: the full audit token. Null: no Authorization header. */
  readonly token?: SimulatedToken | null
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

const credentials = (sim: Simulator, token: SimulatedToken | null | undefined): Record<string, string> => {
  if (token === null) return {}
  const { tokenId, secret } = token ?? sim.tokens.audit
  return { authorization: `PBSAPIToken=${tokenId}:${secret}` }
}

/** Asks for a raw path on a connection of its own, trusting any certificate. */
export const askRaw = (sim: Simulator, path: string, asking: Asking = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(
      {
        host: sim.host,
        port: sim.port,
        path,
        method: asking.method ?? 'GET',
        agent: false,
        rejectUnauthorized: false,
        headers: { ...credentials(sim, asking.token), ...asking.headers },
        ...(asking.signal === undefined ? {} : { signal: asking.signal }),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString('utf8') })
        })
      },
    )
    sent.on('error', reject)
    sent.end()
  })

/** Asks for a path of the API. */
export const ask = (sim: Simulator, path: string, asking: Asking = {}): Promise<Answer> =>
  askRaw(sim, `/api2/json${path}`, asking)

/** The `data` of a 200. */
export const read = async (sim: Simulator, path: string, asking: Asking = {}): Promise<unknown> => {
  const answer = await ask(sim, path, asking)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  return JSON.parse(answer.text).data
}

/** A row of a list, loosely typed for comparisons. */
export type Row = Readonly<Record<string, unknown>>

/** The rows of a 200, in ascending order of a field. */
export const readSorted = async (sim: Simulator, path: string, field: string, asking: Asking = {}): Promise<Row[]> => {
  const data = await read(sim, path, asking)
  if (!Array.isArray(data)) throw new Error(`${path}: not a list`)
  const rows: Row[] = data
  return rows.sort((left, right) => {
    const [a, b] = [left[field], right[field]]
    if (typeof a === 'number' && typeof b === 'number') return a - b
    return String(a) < String(b) ? -1 : 1
  })
}
