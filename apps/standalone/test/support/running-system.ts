import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiTokens } from '@netbox-pbs/core/ports'
import { accountsLayer, Database, GatewayDatabase } from '@netbox-pbs/store-postgres'
import { pglite } from '@netbox-pbs/store-postgres/engines'
import { Context, Effect, Exit, Layer, Option, Redacted, Scope } from 'effect'
import { databaseLayers, layerShared } from '../../src/databases.ts'
import type { Keys } from '../../src/start/keys.ts'
import { type System, type SystemOptions, system } from '../../src/system.ts'
import type { Rest } from './rest.ts'
import { storedFaults } from './stored-values.ts'

/** A system that a test has started. */
export interface RunningSystem extends Rest {
  readonly signInUrl: string
  readonly gatewayUrl: string
  readonly gatewayKey: string
  /** Creates a second user, with a write token whose text is not kept. */
  readonly addUser: (username: string) => Promise<void>
  /** Stops it, and fails when a value that it has stored does not follow from its rows. */
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

/** Begins with all migrations of the inventory, which would take longer than the rest of the start. */
const inMemory = Layer.provideMerge(Layer.merge(GatewayDatabase.layerShared, layerShared), pglite.migrated)

/** Starts gateway, worker and api on free ports. */
export async function startSystem(
  { databaseUrl, dataDir, keys }: Home,
  reported: Pick<SystemOptions, 'statementTimeoutSeconds'> = {},
): Promise<RunningSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-test-'))
  const scope = await Effect.runPromise(Scope.make())
  const databases =
    databaseUrl === null && dataDir === null
      ? inMemory
      : databaseLayers({
          databaseUrl: Option.map(Option.fromNullable(databaseUrl), Redacted.make),
          gatewayDatabaseUrl: Option.none(),
          dataDir,
        })
  const options = {
    host: '127.0.0.1',
    port: 0,
    gatewayPort: 0,
    folder,
    keys,
    bootstrapToken: Option.none(),
    ...reported,
  }
  const opened = await Effect.runPromise(Scope.extend(Layer.build(databases), scope))
  const running: System = await Effect.runPromise(system(options).pipe(Effect.provide(opened), Scope.extend(scope)))
  return {
    url: running.url,
    token: Redacted.value(running.token.token),
    signInUrl: Redacted.value(running.signInUrl),
    gatewayUrl: running.gatewayUrl,
    gatewayKey: Redacted.value(keys.gatewayKey),
    addUser: (username) =>
      Effect.flatMap(ApiTokens, (tokens) =>
        tokens.create({
          key: username,
          secretHash: 'none',
          username,
          description: '',
          write_enabled: true,
          expires: null,
        }),
      ).pipe(Effect.provide(accountsLayer), Effect.provide(opened), Effect.asVoid, Effect.runPromise),
    stop: async () => {
      const faults = await storedFaults(Layer.succeed(Database, Context.get(opened, Database)))
      await Effect.runPromise(Scope.close(scope, Exit.void))
      rmSync(folder, { recursive: true, force: true })
      if (faults.length > 0) throw new Error(faults.join('\n'))
    },
  }
}
