import type { ServerResponse } from 'node:http'
import { json, type Seen } from './http-server.ts'

/** An endpoint as proxbox-api shows it. */
export const storedEndpoint = (id: number, enabled = true) => ({
  id,
  name: `pbs-${id}`,
  host: `pbs-${id}.example`,
  port: 8007,
  token_id: 'sync@pbs!netbox',
  fingerprint: null,
  verify_ssl: true,
  enabled,
  allow_writes: false,
  timeout_seconds: 30,
})

/** Answers as proxbox-api 0.0.30 does: endpoints and their status, but no rows. */
export const proxboxApi =
  (endpoints: ReadonlyArray<ReturnType<typeof storedEndpoint>>) =>
  ({ method, path }: Seen, response: ServerResponse): void => {
    const url = new URL(path, 'http://proxbox')
    const stored = endpoints.find(({ id }) => url.pathname === `/pbs/endpoints/${id}`)
    if (url.pathname === '/pbs/endpoints' && method === 'GET') {
      const offset = Number(url.searchParams.get('offset'))
      json(response, 200, endpoints.slice(offset, offset + Number(url.searchParams.get('limit'))))
    } else if (url.pathname === '/pbs/status' && method === 'GET') {
      json(response, 200, { items: endpoints.filter(({ enabled }) => enabled).map(statusOf) })
    } else if (stored !== undefined && method === 'GET') {
      json(response, 200, stored)
    } else if (url.pathname.startsWith('/pbs/endpoints/') && method === 'GET') {
      json(response, 404, { detail: 'PBS endpoint not found' })
    } else if (url.pathname === '/pbs/sync/servers') {
      json(response, 404, { detail: 'Not Found' })
    } else {
      json(response, 405, { detail: 'Method Not Allowed' })
    }
  }

const statusOf = ({ id, name, host, port }: ReturnType<typeof storedEndpoint>) => {
  const reachable = id % 2 === 1
  return {
    endpoint_id: id,
    name,
    host,
    port,
    reachable,
    reason: reachable ? null : 'ConnectError: All connection attempts failed',
    version: reachable ? '4.2' : null,
  }
}
