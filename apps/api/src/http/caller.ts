import type { Context } from 'hono'

/** Who sent a request. */
export interface Caller {
  readonly id: number
  readonly username: string
  readonly write_enabled: boolean
}

/** What the app keeps beside a request. */
export interface ApiEnv {
  Variables: {
    /** A fresh UUID, whatever the client sent. */
    requestId: string
    /** Set once the request is authenticated. */
    caller: Caller
  }
}

/** A request of the API and the reply being made. */
export type ApiContext = Context<ApiEnv>
