import { getConnInfo } from '@hono/node-server/conninfo'
import { isLoopback } from '@netbox-pbs/app-shell'
import type { Context } from 'hono'

/** The address of the peer of the connection. Forwarding headers are not believed. */
export const remoteAddress = (c: Context): string => (getConnInfo(c).remote.address ?? '').replace(/^::ffff:/, '')

/**
 * Whether a request was made by somebody on this machine: the peer is loopback, no proxy speaks for others, and it is no
 * page in a browser, which could be anybody's.
 */
export const isLocalCaller = (c: Context): boolean =>
  isLoopback(remoteAddress(c)) &&
  ['origin', 'forwarded', 'x-forwarded-for', 'x-real-ip'].every((name) => c.req.header(name) === undefined)
