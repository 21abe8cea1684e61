import type { EndpointStore } from '@netbox-pbs/core/ports'
import type { StatusItem } from '@netbox-pbs/proxbox-client/contract'
import { Effect } from 'effect'
import { Hono } from 'hono'
import { contactServer, enabledEndpoints } from '../endpoints/endpoint-reader.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Run } from './run.ts'

/** `/pbs/status`: which enabled endpoints answer right now. */
export const statusRoutes = (run: Run<EndpointStore | Fleet>): Hono =>
  new Hono().get('/', (c) =>
    run(
      c,
      Effect.gen(function* () {
        const endpoints = yield* enabledEndpoints
        const items = yield* Effect.forEach(
          endpoints,
          (endpoint) => {
            const { id: endpoint_id, name, host, port } = endpoint
            return Effect.match(contactServer(endpoint, undefined), {
              onFailure: ({ code, message }): StatusItem => ({
                endpoint_id,
                name,
                host,
                port,
                reachable: false,
                reason: `${code}: ${message}`,
                version: null,
              }),
              onSuccess: ({ version }): StatusItem => ({
                endpoint_id,
                name,
                host,
                port,
                reachable: true,
                reason: null,
                version,
              }),
            })
          },
          { concurrency: 'unbounded' },
        )
        return c.json({ items })
      }),
    ),
  )
