import { EndpointStore, type StoredEndpoint } from '@netbox-pbs/core/ports'
import { normalizeFingerprint } from '@netbox-pbs/pbs-client'
import {
  EndpointIn,
  EndpointPatch,
  EndpointTestIn,
  endpointPageLimit,
  type StatusItem,
} from '@netbox-pbs/proxbox-client/contract'
import { Effect, Option, Redacted } from 'effect'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { contactServer, enabledEndpoints } from '../endpoints/endpoint-reader.ts'
import { probeEndpoint } from '../endpoints/probe-endpoint.ts'
import { Fleet } from '../fleet/fleet.ts'
import { endpointNotFound, type HttpError } from './http-error.ts'
import { parse, readBody } from './read-body.ts'
import type { Run } from './run.ts'

/** The largest id of the store. */
const maxId = 2_147_483_647

const whole = z.coerce.number('must be a whole number').int('must be a whole number')
const limitText = `must be 1 to ${endpointPageLimit}`
const Page = z.object({
  offset: whole.min(0, 'must not be negative').default(0),
  limit: whole.min(1, limitText).max(endpointPageLimit, limitText).default(endpointPageLimit),
})
const Path = z.object({ endpoint_id: whole })

/** `/pbs/endpoints`: the gateway's endpoints. Secrets are accepted and never returned. */
export const endpointRoutes = (run: Run<EndpointStore | Fleet>): Hono =>
  new Hono()
    .get('/', (c) =>
      run(
        c,
        Effect.gen(function* () {
          const page = yield* parse(Page, c.req.query(), 'query')
          const store = yield* EndpointStore
          return c.json((yield* store.list(page)).map(servedEndpoint))
        }),
      ),
    )
    .post('/', (c) =>
      run(
        c,
        Effect.gen(function* () {
          const { token_secret, ...endpoint } = yield* readBody(c, EndpointIn)
          const store = yield* EndpointStore
          return c.json(
            servedEndpoint(
              yield* store.create({ ...withNormalFingerprint(endpoint), token_secret: Redacted.make(token_secret) }),
            ),
          )
        }),
      ),
    )
    .post('/test', (c) =>
      run(
        c,
        Effect.gen(function* () {
          const body = yield* readBody(c, EndpointTestIn)
          if (!('id' in body)) {
            const { token_secret, ...endpoint } = body
            return c.json(yield* probeEndpoint(endpoint, Redacted.make(token_secret)))
          }
          if (!inRange(body.id)) return yield* endpointNotFound()
          const store = yield* EndpointStore
          const endpoint = yield* found(store.get(body))
          const fleet = yield* Fleet
          const tested = yield* probeEndpoint(endpoint, yield* found(store.secret(body))).pipe(fleet.counted(body.id))
          if (tested.version !== null) yield* fleet.accepted(body.id)
          return c.json(tested)
        }),
      ),
    )
    .get('/:id', (c) =>
      run(
        c,
        Effect.gen(function* () {
          const id = yield* idOf(c)
          return c.json(servedEndpoint(yield* found((yield* EndpointStore).get({ id }))))
        }),
      ),
    )
    .put('/:id', (c) =>
      run(
        c,
        Effect.gen(function* () {
          const id = yield* idOf(c)
          const { token_secret, ...change } = yield* readBody(c, EndpointPatch)
          const store = yield* EndpointStore
          const secret = token_secret === undefined ? {} : { token_secret: Redacted.make(token_secret) }
          return c.json(
            servedEndpoint(
              yield* found(
                store.update({ id, change: { ...withNormalFingerprint(withoutAbsent(change)), ...secret } }),
              ),
            ),
          )
        }),
      ),
    )
    .delete('/:id', (c) =>
      run(
        c,
        Effect.gen(function* () {
          const id = yield* idOf(c)
          if (!(yield* (yield* EndpointStore).remove({ id }))) return yield* endpointNotFound()
          return c.json({ message: 'PBS endpoint deleted.' })
        }),
      ),
    )

const idOf = (c: Context): Effect.Effect<number, HttpError> =>
  parse(Path, { endpoint_id: c.req.param('id') }, 'path').pipe(
    Effect.flatMap(({ endpoint_id }) => (inRange(endpoint_id) ? Effect.succeed(endpoint_id) : endpointNotFound())),
  )

const inRange = (id: number): boolean => id >= 1 && id <= maxId

const found = <A, E, R>(lookup: Effect.Effect<Option.Option<A>, E, R>): Effect.Effect<A, E | HttpError, R> =>
  Effect.flatMap(lookup, Option.match({ onNone: endpointNotFound, onSome: Effect.succeed }))

/** An endpoint as the contract shows it: keys in its order, `allow_writes` always false, no secret. */
const servedEndpoint = (endpoint: StoredEndpoint) => ({
  id: endpoint.id,
  name: endpoint.name,
  host: endpoint.host,
  port: endpoint.port,
  token_id: endpoint.token_id,
  fingerprint: endpoint.fingerprint,
  verify_ssl: endpoint.verify_ssl,
  allow_writes: false,
  enabled: endpoint.enabled,
  timeout_seconds: endpoint.timeout_seconds,
})

/** A fingerprint is stored in PBS's notation, for every notation of the input. */
const withNormalFingerprint = <T extends { readonly fingerprint?: string | null }>(endpoint: T): T =>
  typeof endpoint.fingerprint === 'string'
    ? { ...endpoint, fingerprint: normalizeFingerprint(endpoint.fingerprint) ?? endpoint.fingerprint }
    : endpoint

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** zod writes an optional key as `| undefined`; the port takes only keys that are there. */
const withoutAbsent = <T extends object>(change: T): Present<T> =>
  // The entries are those of T without the undefined ones, as Present states.
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Present<T>

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
