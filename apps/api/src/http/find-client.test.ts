import { Hono } from 'hono'
import { expect, test } from 'vitest'
import type { ApiEnv } from '../rest/caller.ts'
import type { Client } from '../rest/client.ts'
import { findClient, type ProxyOptions } from './find-client.ts'

const headers = {
  Host: 'api.example.com',
  'X-Forwarded-Host': 'nb.example.com:8443, inner',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Prefix': '/netbox/',
  'X-Forwarded-For': '192.0.2.7, 10.0.0.1',
}

/** The client of a request that comes from an address. */
async function clientFrom(
  remoteAddress: string | null,
  options: ProxyOptions = {},
  more: Record<string, string> = {},
): Promise<Client> {
  const app = new Hono<ApiEnv>().use(findClient(options)).get('/', (c) => c.json(c.get('client')))
  const incoming = { socket: { remoteAddress, remotePort: 1, remoteFamily: 'IPv4' } }
  const env = remoteAddress === null ? {} : { incoming }
  const response = await app.request('http://api.example.com/', { headers: { ...headers, ...more } }, env)
  return (await response.json()) as Client // border: the route above answers it
}

const believed = { scheme: 'https', host: 'nb.example.com:8443', prefix: '/netbox', address: '192.0.2.7' }
const seen = (address: string | null) => ({ scheme: 'http', host: 'api.example.com', prefix: '', address })

test.each([
  ['127.0.0.1', []],
  ['::1', []],
  ['::ffff:127.0.0.1', []],
  ['10.1.2.3', ['10.0.0.0/8']],
  ['::ffff:10.1.2.3', ['192.0.2.0/24', '10.0.0.0/8']],
  ['2001:db8::5', ['2001:db8::/64']],
  ['fe80::1%eth0', ['fe80::1']],
  ['198.51.100.4', ['198.51.100.4']],
])('%s is believed with the proxies %j', async (address, trustedProxies) => {
  expect(await clientFrom(address, { trustedProxies })).toEqual(believed)
})

test.each([
  ['10.1.2.3', []],
  ['11.1.2.3', ['10.0.0.0/8']],
  ['2001:db8:1::5', ['2001:db8::/64']],
  ['198.51.100.5', ['198.51.100.4']],
])('%s is not believed with the proxies %j', async (address, trustedProxies) => {
  expect(await clientFrom(address, { trustedProxies })).toEqual(seen(address))
})

test('a request without a connection has no address', async () => {
  expect(await clientFrom(null)).toEqual(seen(null))
})

test('the address comes from X-Real-IP before X-Forwarded-For, and only where it is one', async () => {
  const of = async (more: Record<string, string>) => (await clientFrom('127.0.0.1', {}, more)).address
  expect(await of({ 'X-Real-IP': '192.0.2.9' })).toBe('192.0.2.9')
  expect(await of({ 'X-Real-IP': 'unknown' })).toBe('192.0.2.7')
  expect(await of({ 'X-Real-IP': 'unknown', 'X-Forwarded-For': 'unknown' })).toBe('127.0.0.1')
})

test('a prefix comes before the base path, and is a plain path', async () => {
  const of = async (prefix: string) =>
    (await clientFrom('127.0.0.1', { basePath: '/pbs' }, { 'X-Forwarded-Prefix': prefix })).prefix
  expect(await of('/a/b')).toBe('/a/b/pbs')
  for (const odd of ['//evil.example', '/a"b', 'a', '/']) expect(await of(odd)).toBe('/pbs')
  expect((await clientFrom('192.0.2.1', { basePath: '/pbs' })).prefix).toBe('/pbs')
})
