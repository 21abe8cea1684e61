import { Agent, request } from 'undici'
import type { NetBoxConfig } from './netbox-config.ts'

/** The time for one request as a whole, in milliseconds. */
const timeLimit = 5_000

/** Bytes of an answer that are read. */
const largestAnswer = 1_048_576

/** What NetBox answered; `json` is undefined where it is none. */
export interface NetBoxAnswer {
  readonly status: number
  readonly json: unknown
}

/** A question to NetBox, with the header of the client that asks us. */
export interface NetBoxQuestion {
  readonly method: 'GET' | 'OPTIONS'
  /** Below the address of NetBox. */
  readonly path: string
  readonly authorization: string
  /** The client's own address, against which NetBox judges the networks of the token; null: unknown. */
  readonly address: string | null
  readonly signal: AbortSignal
}

/** Asks NetBox. No redirect is followed, so that the token goes to no other host; certificates are checked. */
export type AskNetBox = (question: NetBoxQuestion) => Promise<NetBoxAnswer>

/** The HTTP client of one NetBox, and its end. */
export function netBoxHttp({ url, ca }: Pick<NetBoxConfig, 'url' | 'ca'>): {
  readonly ask: AskNetBox
  readonly close: () => Promise<void>
} {
  const agent = new Agent({
    connect: ca === null ? {} : { ca },
    connections: 16,
    maxResponseSize: largestAnswer,
  })
  return {
    ask: async ({ method, path, authorization, address, signal }) => {
      const { statusCode, body } = await request(new URL(path, url), {
        dispatcher: agent,
        method,
        headers: {
          accept: 'application/json',
          authorization,
          ...(address === null ? {} : { 'x-real-ip': address }),
        },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeLimit)]),
      })
      return { status: statusCode, json: parsed(await body.text()) }
    },
    close: () => agent.destroy(),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
