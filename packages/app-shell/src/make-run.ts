import { Cause, Effect, Exit, Runtime } from 'effect'

/** The part of Hono's request context that `makeRun` needs. */
export interface RequestContext {
  readonly req: { readonly raw: { readonly signal: AbortSignal } }
}

/** How failures become responses. */
export interface FailureResponses<C, E> {
  /** Fields of a request for each of its log lines. */
  readonly facts: (c: C) => Readonly<Record<string, unknown>>
  /** The response to an expected failure. */
  readonly onFailure: (c: C, error: E) => Effect.Effect<Response>
  /** The response to a defect, without its cause, which is in the log. */
  readonly onDefect: (c: C) => Response
}

/** Makes the only bridge from Effect to Promise of a service. It interrupts the work when the client leaves. */
export const makeRun =
  <C extends RequestContext, E, R>(
    runtime: Runtime.Runtime<R>,
    { facts, onFailure, onDefect }: FailureResponses<C, E>,
  ): ((c: C, handler: Effect.Effect<Response, E, R>) => Promise<Response>) =>
  async (c, handler) => {
    const answered = handler.pipe(
      Effect.catchAll((error) => onFailure(c, error)),
      Effect.tapErrorCause((cause) =>
        Cause.isInterruptedOnly(cause) ? Effect.void : Effect.logError('a request failed', cause),
      ),
      Effect.annotateLogs(facts(c)),
    )
    const exit = await Runtime.runPromiseExit(runtime)(answered, { signal: c.req.raw.signal })
    return Exit.isSuccess(exit) ? exit.value : onDefect(c)
  }
