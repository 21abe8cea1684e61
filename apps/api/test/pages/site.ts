import { type ChangeSets, type Endpoints, type ServerObservations, Sessions, StoreFailed } from '@netbox-pbs/core/ports'
import {
  accountsLayer,
  eventsLayer,
  inventoryLayer,
  queueLayer,
  secretBoxLayer,
  settingsLayer,
} from '@netbox-pbs/store-postgres'
import { pglite } from '@netbox-pbs/store-postgres/engines'
import { Effect, Exit, Layer, Redacted, Scope } from 'effect'
import { writeToken } from '../../src/accounts/write-token.ts'
import { apiServer } from '../../src/api-server.ts'
import { signInLink } from '../../src/pages/session.ts'
import type { ApiNeeds } from '../../src/services.ts'

/** Tokens of the site: one that writes, one that reads, and one whose time is over. */
export const tokens = {
  writer: `nbt_pagestoken01.${'w'.repeat(40)}`,
  reader: `nbt_pagestoken02.${'r'.repeat(40)}`,
  expired: `nbt_pagestoken03.${'e'.repeat(40)}`,
}

/** The site on an empty embedded database, over real HTTP. */
export interface Site {
  readonly url: string
  /** The path of a fresh one-time link. */
  readonly link: () => Promise<string>
  /** Makes the database fail every look-up of a session, until it is switched back. */
  readonly breakSessions: (broken: boolean) => void
  /** Runs a use case on what the site runs on. */
  readonly use: <A, E>(effect: Effect.Effect<A, E, ApiNeeds | ChangeSets | ServerObservations>) => Promise<A>
  readonly stop: () => Promise<void>
}

const key = Buffer.alloc(32, 9).toString('base64')
const stores = Layer.mergeAll(inventoryLayer, accountsLayer, queueLayer, settingsLayer, eventsLayer).pipe(
  Layer.provideMerge(pglite.migrated),
  Layer.provide(secretBoxLayer({ key: Redacted.make(key), keyName: 'KEY' })),
)

/** Starts one with these endpoints behind it. */
export async function startSite(endpoints: Layer.Layer<Endpoints>): Promise<Site> {
  const scope = Effect.runSync(Scope.make())
  let broken = false
  return Effect.gen(function* () {
    const services = yield* Layer.build(Layer.merge(stores, endpoints))
    const about = { description: '', write_enabled: true, expires: null }
    for (const [token, change] of [
      [tokens.writer, {}],
      [tokens.reader, { write_enabled: false }],
      [tokens.expired, { expires: '2020-01-01T00:00:00Z' }],
    ] as const) {
      yield* writeToken(Redacted.make(token), { ...about, ...change }).pipe(Effect.provide(services))
    }
    const breakable = Layer.effect(
      Sessions,
      Effect.map(Sessions, (sessions) => ({
        ...sessions,
        find: (request) =>
          broken
            ? Effect.fail(new StoreFailed({ reason: 'unavailable', operation: 'reading a session' }))
            : sessions.find(request),
      })),
    )
    const { url } = yield* apiServer({ host: '127.0.0.1', port: 0 }).pipe(
      Effect.provide(breakable),
      Effect.provide(services),
    )
    return {
      url,
      link: () => Effect.runPromise(signInLink('admin').pipe(Effect.provide(services))),
      breakSessions: (now: boolean) => {
        broken = now
      },
      use: <A, E>(effect: Effect.Effect<A, E, ApiNeeds | ChangeSets | ServerObservations>) =>
        Effect.runPromise(effect.pipe(Effect.provide(services))),
      stop: () => Effect.runPromise(Scope.close(scope, Exit.void)),
    }
  }).pipe(Scope.extend(scope), Effect.runPromise)
}
