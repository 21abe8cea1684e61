import { BlockList, isIP } from 'node:net'
import { getConnInfo } from '@hono/node-server/conninfo'
import { createMiddleware } from 'hono/factory'
import type { ApiContext, ApiEnv } from '../rest/caller.ts'
import type { Client } from '../rest/client.ts'

/** What lies between clients and us. */
export interface ProxyOptions {
  /**
   * Addresses, or networks such as `10.0.0.0/8`, of proxies in front, in addition to loopback. What
   * others say in `X-Forwarded-Host`, `-Proto`, `-Prefix`, `-For` and `X-Real-IP` does not count.
   */
  readonly trustedProxies?: ReadonlyArray<string>
  /** The path below which requests come in, such as `/netbox`; empty: none. */
  readonly basePath?: string
}

/** Keeps with each request how its client reached us. */
export function findClient({ trustedProxies = [], basePath = '' }: ProxyOptions) {
  const isTrusted = trusting(trustedProxies)
  return createMiddleware<ApiEnv>(async (c, next) => {
    const address = remoteAddress(c)
    c.set(
      'client',
      address !== null && isTrusted(address) ? forwarded(c, address, basePath) : direct(c, address, basePath),
    )
    await next()
  })
}

function direct(c: ApiContext, address: string | null, basePath: string): Client {
  const scheme = c.req.url.startsWith('https:') ? 'https' : 'http'
  return { scheme, host: c.req.header('host') ?? '', prefix: basePath, address }
}

function forwarded(c: ApiContext, address: string, basePath: string): Client {
  const { scheme, host } = direct(c, address, basePath)
  const first = (name: string) => c.req.header(name)?.split(',')[0]?.trim() || undefined
  const proto = first('x-forwarded-proto')
  const prefix = first('x-forwarded-prefix') ?? ''
  // NetBox's order. What is no address counts as not said.
  const source = [first('x-real-ip'), first('x-forwarded-for')].map(plainAddress).find((text) => isIP(text) !== 0)
  return {
    scheme: proto === 'https' || proto === 'http' ? proto : scheme,
    host: first('x-forwarded-host') ?? host,
    prefix: `${isPrefix(prefix) ? prefix.replace(/\/$/, '') : ''}${basePath}`,
    address: source ?? address,
  }
}

const isPrefix = (path: string): boolean => /^(?:\/[\w.~-]+)+\/?$/.test(path)

/** Null where there is no connection, as in a request that was made up. */
function remoteAddress(c: ApiContext): string | null {
  const bindings: unknown = c.env
  const isConnected = typeof bindings === 'object' && bindings !== null && 'incoming' in bindings
  const address = isConnected ? getConnInfo(c).remote.address : undefined
  return address === undefined ? null : plainAddress(address)
}

/** An address without its zone; an IPv4 address that a socket for both families writes as IPv6, as IPv4. */
const plainAddress = (address = ''): string => address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')

function trusting(proxies: ReadonlyArray<string>): (address: string) => boolean {
  const trusted = new BlockList()
  for (const entry of ['127.0.0.0/8', '::1', ...proxies]) {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) trusted.addAddress(address, family)
    else trusted.addSubnet(address, Number(bits), family)
  }
  return (address) => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
