import { gatewayServer } from '@netbox-pbs/gateway'
import { Effect, Redacted } from 'effect'
import { asPart } from '../child.ts'
import type { SimulatorAnswer } from './simulator.ts'
import { oneEndpoint } from './stored-endpoint.ts'

/** The server that the gateway reads, and the key that it takes. */
export interface GatewayTask {
  readonly simulator: SimulatorAnswer
  readonly key: string
}

/** Where the gateway listens. */
export interface GatewayAnswer {
  readonly url: string
}

await asPart<GatewayTask, GatewayAnswer>(({ simulator, key }) => {
  const { port, fingerprint, tokenId, secret } = simulator
  const endpoint = {
    id: 1,
    name: 'pbs-a',
    host: '127.0.0.1',
    port,
    token_id: tokenId,
    fingerprint,
    verify_ssl: true,
    enabled: true,
    timeout_seconds: 60,
  }
  const serving = Effect.gen(function* () {
    const { url } = yield* gatewayServer({ host: '127.0.0.1', port: 0, bootstrapKey: Redacted.make(key) })
    return { url }
  }).pipe(Effect.provide(oneEndpoint(endpoint, Redacted.make(secret))))
  return new Promise((resolve, reject) => {
    const hungUp = Effect.async<void>((resume) => {
      process.once('disconnect', () => resume(Effect.void))
    })
    Effect.runPromise(Effect.scoped(Effect.zipRight(Effect.map(serving, resolve), hungUp))).catch(reject)
  })
})
