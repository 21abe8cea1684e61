import { GatewayKeys } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { Hono } from 'hono'
import { z } from 'zod'
import { hashKey, isLocalCaller, minKeyLength } from './api-key.ts'
import { HttpError } from './http-error.ts'
import { readBody } from './read-body.ts'
import type { Run } from './run.ts'

const Registration = z.object({
  api_key: z.string('must be text').max(512, 'must have at most 512 characters'),
  label: z.string('must be text').max(255, 'must have at most 255 characters').default(''),
})

/** `/auth/*`: how the first key comes in. Needs no key itself; registering answers on loopback only. */
export const authRoutes = (run: Run<GatewayKeys>): Hono =>
  new Hono()
    .get('/bootstrap-status', (c) =>
      run(
        c,
        Effect.gen(function* () {
          const any = yield* (yield* GatewayKeys).any()
          return c.json({ needs_bootstrap: !any, has_db_keys: any })
        }),
      ),
    )
    .post('/register-key', (c) =>
      run(
        c,
        Effect.gen(function* () {
          if (!isLocalCaller(c)) {
            return yield* new HttpError({
              status: 403,
              detail: 'Keys are registered from the machine of the gateway only: call it on 127.0.0.1.',
            })
          }
          const { api_key, label } = yield* readBody(c, Registration)
          if (api_key.length < minKeyLength) {
            return yield* new HttpError({
              status: 400,
              detail: `API key must be at least ${minKeyLength} characters long.`,
            })
          }
          const first = yield* (yield* GatewayKeys).addFirst({ hash: hashKey(api_key), label })
          if (!first) {
            return yield* new HttpError({ status: 409, detail: 'An API key is registered already.' })
          }
          return c.json({ detail: 'API key registered.' }, 201)
        }),
      ),
    )
