import type { Endpoints } from '@netbox-pbs/core/ports'
import {
  accountsLayer,
  Database,
  eventsLayer,
  inventoryLayer,
  queueLayer,
  secretBoxLayer,
  settingsLayer,
} from '@netbox-pbs/store-postgres'
import { migratedTemplate, pglite } from '@netbox-pbs/store-postgres/engines'
import { postgresUrl, responseCheck } from '@netbox-pbs/testing'
import { Effect, Exit, Layer, Logger, Redacted, Scope } from 'effect'
import { writeToken } from '../../src/accounts/write-token.ts'
import { type ApiOptions, apiServer } from '../../src/api-server.ts'
import { openApiDocument } from '../../src/openapi/document.ts'
import { restPaths } from '../../src/routes/rest-paths.ts'

/** The token of the admin in every test. */
export const adminToken = `nbt_testtoken001.${'a'.repeat(40)}`

/** An answer, read whole. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: compared with the OpenAPI document when it came, as a type would be
  readonly json: any
}

/** Options of a request. */
export interface Ask {
  readonly body?: unknown
  readonly raw?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Null: no token. */
  readonly token?: string | null
  /** False: the OpenAPI document does not describe the request's path or the answer. */
  readonly documented?: false
}

/** An API on an empty database, over real HTTP. */
export interface TestApi {
  readonly url: string
  readonly ask: (method: string, path: string, ask?: Ask) => Promise<Answer>
  /** Runs against the store of the API, as a worker would. */
  readonly run: <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof storesOn>>>) => Promise<A>
  readonly stop: () => Promise<void>
}

const key = Buffer.alloc(32, 7).toString('base64')
const box = secretBoxLayer({ key: Redacted.make(key), keyName: 'KEY' })
const storesOn = (database: Layer.Layer<Database>) =>
  Layer.mergeAll(inventoryLayer, accountsLayer, queueLayer, settingsLayer, eventsLayer).pipe(
    Layer.provideMerge(database),
    Layer.provide(box),
  )

/** Both engines, each with a database of its own for a test's API. */
export const engines: ReadonlyArray<{ readonly engine: string; readonly database: Layer.Layer<Database> }> = [
  { engine: 'PGlite', database: pglite.migrated },
  {
    engine: 'PostgreSQL',
    database: Layer.unwrapEffect(
      Effect.map(
        Effect.promise(() => postgresUrl(migratedTemplate)),
        (url) => Layer.orDie(Database.layerPg({ url: Redacted.make(url) })),
      ),
    ),
  },
]

/** How a test's API differs from the usual one. */
export interface TestOptions extends Partial<ApiOptions> {
  /** Where the API's log goes. */
  readonly logger?: Logger.Logger<unknown, void>
  /** With all migrations; in memory unless told. */
  readonly database?: Layer.Layer<Database>
}

/** Starts one with these endpoints behind it. */
export async function startTestApi(
  endpoints: Layer.Layer<Endpoints>,
  { logger, database = pglite.migrated, ...options }: TestOptions = {},
): Promise<TestApi> {
  const scope = Effect.runSync(Scope.make())
  const about = { description: '', write_enabled: true, expires: null }
  const { url, services } = await Effect.gen(function* () {
    const services = yield* Layer.build(Layer.merge(storesOn(database), endpoints))
    yield* writeToken(Redacted.make(adminToken), about).pipe(Effect.provide(services))
    const { url } = yield* apiServer({ host: '127.0.0.1', port: 0, ...options }).pipe(
      Effect.provide(services),
      Effect.provide(logger === undefined ? Layer.empty : Logger.replace(Logger.defaultLogger, logger)),
    )
    return { url, services }
  }).pipe(Scope.extend(scope), Effect.runPromise)
  const run: TestApi['run'] = (effect) => Effect.runPromise(Effect.provide(effect, services))
  return { url, ask: asker(url), run, stop: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

/** Fails a test whose response the OpenAPI document does not describe. */
export const checkResponse = responseCheck(openApiDocument(restPaths), { partialBy: ['brief', 'fields', 'omit'] })

/** Sends requests to an API and checks that the OpenAPI document describes each response. */
export const asker =
  (url: string, usualToken: string = adminToken): TestApi['ask'] =>
  async (method, path, { body, raw, headers = {}, token = usualToken, documented = true } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        Accept: 'application/json',
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? (raw === undefined ? {} : { body: raw }) : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const { status } = response
    if (documented) checkResponse({ method, path, status, contentType: response.headers.get('content-type'), text })
    return { status, headers: response.headers, text, json: parsed(text) }
  }

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
