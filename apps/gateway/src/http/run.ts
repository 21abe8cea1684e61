import { makeRun as bridge } from '@netbox-pbs/app-shell'
import type { EndpointNameTaken, SecretNeeded, SecretUnreadable, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, type Runtime } from 'effect'
import type { Context } from 'hono'
import type { HttpError } from './http-error.ts'
import { rejection } from './read-body.ts'

/** The expected errors of a handler; everything else is a defect. */
export type HandlerError = HttpError | StoreFailed | SecretNeeded | SecretUnreadable | EndpointNameTaken

/** The bridge from a handler's Effect to its HTTP reply. */
export type Run<R> = (c: Context, handler: Effect.Effect<Response, HandlerError, R>) => Promise<Response>

/** Makes the only bridge from Effect to Promise. Errors become the bodies of the contract, `{"detail": …}`. */
export const makeRun = <R>(runtime: Runtime.Runtime<R>): Run<R> =>
  bridge<Context, HandlerError, R>(runtime, {
    facts: ({ req: { method, path } }) => ({ method, path }),
    onFailure: (c, error) => Effect.succeed(errorResponse(c, error)),
    onDefect: (c) => c.json({ detail: 'Internal Server Error' }, 500),
  })

const errorResponse = (c: Context, error: HandlerError): Response => {
  switch (error._tag) {
    case 'HttpError':
      return c.json({ detail: error.detail }, error.status, { ...error.headers })
    case 'EndpointNameTaken':
      return c.json({ detail: error.message }, 400)
    case 'SecretNeeded': {
      const { status, detail } = rejection(['body', 'token_secret'], error.message)
      return c.json({ detail }, status)
    }
    case 'StoreFailed':
      return c.json({ detail: error.message }, 503, { 'Retry-After': '5' })
    case 'SecretUnreadable':
      return c.json({ detail: error.message }, 500)
  }
}
