import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Cause, Effect, Exit } from 'effect'
import * as Runtime from 'effect/Runtime'
import type { ApiServices } from '../services.ts'
import type { ApiContext } from './caller.ts'
import type { Refused } from './refused.ts'

/** What a handler may fail with; everything else is a defect. */
export type HandlerError = Refused | StoreFailed

/** The bridge from a handler's Effect to its HTTP reply. */
export type Run = (c: ApiContext, handler: Effect.Effect<Response, HandlerError, ApiServices>) => Promise<Response>

/** Makes the only bridge from Effect to Promise. The work is interrupted when the client goes away; a defect is logged and answers 500 without a word about its cause. */
export const makeRun =
  (runtime: Runtime.Runtime<ApiServices>): Run =>
  async (c, handler) => {
    const annotations = { method: c.req.method, path: c.req.path, requestId: c.get('requestId') }
    const replied = handler.pipe(
      Effect.catchTags({
        Refused: ({ status, body, headers }) => Effect.succeed(c.json(body, status, { ...headers })),
        StoreFailed: (error) =>
          Effect.logError('the database failed a request', error.cause).pipe(
            Effect.as(c.json({ detail: `${error.message}.` }, 503, { 'Retry-After': '5' })),
          ),
      }),
      Effect.tapErrorCause((cause) =>
        Cause.isInterruptedOnly(cause) ? Effect.void : Effect.logError('a request failed', cause),
      ),
      Effect.annotateLogs(annotations),
    )
    const exit = await Runtime.runPromiseExit(runtime)(replied, { signal: c.req.raw.signal })
    return Exit.isSuccess(exit)
      ? exit.value
      : c.json({ detail: `Internal server error; the log names it by request ${annotations.requestId}.` }, 500)
  }
