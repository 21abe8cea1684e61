import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'

/** The address of the peer of the connection. Forwarding headers are not believed. */
export const remoteAddress = (c: Context): string => (getConnInfo(c).remote.address ?? '').replace(/^::ffff:/, '')

/** Whether an address is this machine. */
export const isLoopback = (address: string): boolean => address === '::1' || /^127(\.\d{1,3}){3}$/.test(address)
