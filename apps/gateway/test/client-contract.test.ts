import { Endpoints } from '@netbox-pbs/core/ports'
import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { endpointsLayer, proxboxSourceLayer } from '@netbox-pbs/proxbox-client'
import { endpointsContract, sourceContract } from '@netbox-pbs/testing'
import { Effect, Redacted } from 'effect'
import { afterAll, beforeAll, describe } from 'vitest'
import { key, type RunningGateway, startGateway } from './running-gateway.ts'

// packages/sync/test runs the same suites on its fakes.

let pbs: Simulator
let gateway: RunningGateway
beforeAll(async () => {
  pbs = await startSimulator({ profile: '4.2', snapshots: 40, failureDelayMs: 30 })
  gateway = await startGateway()
})
afterAll(async () => {
  await gateway.stop()
  await pbs.close()
})

/** Known when a test asks. */
const address = Effect.sync(() => ({ url: gateway.url, key: Redacted.make(key) }))
const connection = (name: string) => ({
  ...{ name, host: pbs.host, port: pbs.port, fingerprint: pbs.fingerprint, verify_ssl: true, timeout_seconds: 30 },
  ...{ token_id: pbs.tokens.audit.tokenId, token_secret: Redacted.make(pbs.tokens.audit.secret) },
})

describe('Source of a gateway', () => {
  beforeAll(() =>
    Effect.runPromise(
      Effect.flatMap(Endpoints, (endpoints) =>
        Effect.forEach(['pbs-a', 'pbs-b'], (name) => endpoints.create(connection(name))),
      ).pipe(Effect.provide(endpointsLayer({ address }))),
    ),
  )
  sourceContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, proxboxSourceLayer({ address }))),
    servers: ['pbs-a', 'pbs-b'],
  })
})

describe('Endpoints of a gateway', () => {
  endpointsContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, endpointsLayer({ address }))),
    connection,
    goDown: () => gateway.stop(),
  })
})
