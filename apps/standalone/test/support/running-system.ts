import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Effect, Exit, Layer, Option, Redacted, Scope } from 'effect'
import { databaseLayers } from '../../src/databases.ts'
import type { Keys } from '../../src/start/keys.ts'
import { type System, system } from '../../src/system.ts'
import type { Rest } from './rest.ts'

/** A system that a test has started. */
export interface RunningSystem extends Rest {
  readonly signInUrl: string
  readonly gatewayUrl: string
  readonly gatewayKey: string
  readonly stop: () => Promise<void>
}

const key = (): Redacted.Redacted<string> => Redacted.make(randomBytes(32).toString('base64'))

/** Where a system keeps its data and the keys it was first started with, so that it can be started on them again. */
export interface Home {
  readonly databaseUrl: string | null
  /** Null: in memory. */
  readonly dataDir: string | null
  readonly keys: Keys
}

/** A new home on PostgreSQL, or on PGlite in a folder or in memory. */
export const newHome = (where: { readonly databaseUrl?: string; readonly dataDir?: string }): Home => ({
  databaseUrl: where.databaseUrl ?? null,
  dataDir: where.dataDir ?? null,
  keys: { secretKey: key(), gatewaySecretKey: key(), gatewayKey: key() },
})

/** Starts gateway, worker and api on free ports. */
export async function startSystem({ databaseUrl, dataDir, keys }: Home): Promise<RunningSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-test-'))
  const scope = await Effect.runPromise(Scope.make())
  const databases = databaseLayers({
    databaseUrl: Option.map(Option.fromNullable(databaseUrl), Redacted.make),
    gatewayDatabaseUrl: Option.none(),
    dataDir,
  })
  const options = { host: '127.0.0.1', port: 0, gatewayPort: 0, folder, keys, bootstrapToken: Option.none() }
  const running: System = await Effect.runPromise(
    Layer.build(databases).pipe(
      Effect.flatMap((opened) => Effect.provide(system(options), opened)),
      Scope.extend(scope),
    ),
  )
  return {
    url: running.url,
    token: Redacted.value(running.token.token),
    signInUrl: Redacted.value(running.signInUrl),
    gatewayUrl: running.gatewayUrl,
    gatewayKey: Redacted.value(keys.gatewayKey),
    stop: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
