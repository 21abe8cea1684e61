import type { Actor, Branch } from '@netbox-pbs/core'
import type { UserRights } from '@netbox-pbs/core/ports'
import type { Context } from 'hono'
import type { Client } from './client.ts'

/** The sender of a request. */
export interface Caller extends UserRights {
  readonly id: number
  readonly username: string
  readonly write_enabled: boolean
  /** When the token of the request ends (RFC 3339); null: never. */
  readonly expires: string | null
  /** The token of the request is one of NetBox. */
  readonly ofNetBox?: boolean
}

/** Whether the caller may do everything that a user may. */
export const isAdmin = ({ role }: Caller): boolean => role === 'admin'

/** Values that the app keeps with a request. */
export interface ApiEnv {
  Variables: {
    /** A fresh UUID for each request. */
    requestId: string
    client: Client
    /** Set once the request is authenticated. */
    caller: Caller
    /** The open branch in which the request reads and writes; null: main. Set with the caller. */
    branch: Branch | null
  }
}

/** A request of the API and the response being made. */
export type ApiContext = Context<ApiEnv>

/** The caller of a request as the change log names them: its id is the `X-Request-ID` of the answer. */
export const actorOf = (c: ApiContext): Actor => ({ user: c.get('caller').username, requestId: c.get('requestId') })

/** The same with what they say about the request; empty: nothing. */
export const actorSaying = (c: ApiContext, message: string): Actor => ({
  ...actorOf(c),
  ...(message === '' ? {} : { message }),
})
