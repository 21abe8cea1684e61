import type { EndpointNameTaken, SecretNeeded, SecretUnreadable, StoreFailed } from '@netbox-pbs/core/ports'
import { Cause, Effect, Exit, type Runtime } from 'effect'
import * as EffectRuntime from 'effect/Runtime'
import type { Context } from 'hono'
import type { HttpError } from './http-error.ts'
import { rejection } from './read-body.ts'

/** What a handler may fail with; everything else is a defect. */
export type HandlerError = HttpError | StoreFailed | SecretNeeded | SecretUnreadable | EndpointNameTaken

/** The bridge from a handler's Effect to its HTTP reply. */
export type Run<R> = (c: Context, handler: Effect.Effect<Response, HandlerError, R>) => Promise<Response>

/**
 * Makes the only bridge from Effect to Promise. The work is interrupted when the client goes away. Errors become the
 * bodies of the contract, `{"detail": …}`; a defect is logged and answers 500 without a word about its cause.
 */
export const makeRun =
  <R>(runtime: Runtime.Runtime<R>): Run<R> =>
  async (c, handler) => {
    const exit = await EffectRuntime.runPromiseExit(runtime)(handler, { signal: c.req.raw.signal })
    if (Exit.isSuccess(exit)) return exit.value
    const failure = Cause.failureOption(exit.cause)
    if (failure._tag === 'Some') return errorResponse(c, failure.value)
    if (!Cause.isInterruptedOnly(exit.cause)) {
      await EffectRuntime.runPromise(runtime)(
        Effect.logError('a request failed', exit.cause).pipe(
          Effect.annotateLogs({ method: c.req.method, path: c.req.path }),
        ),
      )
    }
    return c.json({ detail: 'Internal Server Error' }, 500)
  }

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
