import { makeRun as bridge } from '@netbox-pbs/app-shell'
import { statementLimit } from '@netbox-pbs/core/ports'
import { Duration, Effect, Option, type Runtime } from 'effect'
import type { ApiContext } from '../rest/caller.ts'
import { etag } from '../rest/etag.ts'
import { logStoreFailure, serverGoneErrors, storeFailure } from '../rest/http-error.ts'
import type { HandlerError, Run } from '../rest/route.ts'
import { notUsableErrors } from '../servers/not-usable.ts'
import type { ApiServices } from '../services.ts'

/** How long one statement of a request may take, in seconds. */
export interface RequestLimits {
  readonly statementTimeoutSeconds: number
}

/** Makes the only bridge from Effect to Promise. */
export const makeRun = (runtime: Runtime.Runtime<ApiServices>, { statementTimeoutSeconds }: RequestLimits): Run => {
  const run = bridge<ApiContext, HandlerError, ApiServices>(runtime, {
    facts: (c) => ({ method: c.req.method, path: c.req.path, requestId: c.get('requestId') }),
    onFailure: (c, error) =>
      Effect.as(
        error._tag === 'StoreFailed' ? logStoreFailure(error, 'a request') : Effect.void,
        errorResponse(c, error),
      ),
    onDefect: (c) => c.json({ detail: `Internal server error. Find request ${c.get('requestId')} in the log.` }, 500),
  })
  const limit = Option.some(Duration.seconds(statementTimeoutSeconds))
  return (c, handler) => run(c, Effect.locally(handler, statementLimit, limit))
}

/** The one place where errors become HTTP replies. */
function errorResponse(c: ApiContext, error: HandlerError): Response {
  switch (error._tag) {
    case 'HttpError':
      return c.json(error.body, error.status, { ...error.headers })
    case 'ValidationFailed':
    case 'EndpointRejected':
    case 'RunNotStarted':
      return c.json(error.errors, 400)
    case 'ServerGone':
      return c.json(serverGoneErrors(error.id), 400)
    case 'ServerNotUsable':
      return c.json(notUsableErrors(error), 400)
    case 'ServerNotFound':
      return c.json({ detail: 'No Server matches the given query.' }, 404)
    case 'HeldDeletionsNotFound':
      return c.json({ detail: `${error.message}.` }, 404)
    case 'BranchNameTaken':
      return c.json({ name: ['Branch with this Name already exists.'] }, 400)
    case 'BranchNotFound':
      return c.json({ detail: 'No Branch matches the given query.' }, 404)
    case 'BranchNotOpen':
    case 'BranchOfRun':
    case 'BranchNotApproved':
    case 'BranchScopeUnknown':
    case 'BranchValueTaken':
    case 'BranchNotMerged':
    case 'ApprovalNotAllowed':
    case 'ServerPending':
      return c.json({ detail: `${error.message}.` }, 409)
    case 'VersionChanged':
      return c.json({ detail: 'Precondition failed.' }, 412, { ETag: etag({ last_updated: error.version }) })
    case 'EndpointNotFound':
      return c.json({ detail: `${error.message}; send its token_secret to connect it again.` }, 502)
    case 'GatewayUnavailable':
      return c.json({ detail: error.message }, 502)
    case 'StoreFailed':
      // A client that repeats by itself must not repeat what may have been done.
      return c.json({ detail: `${storeFailure(c, error)}.` }, 503, {
        ...(error.reason === 'unknown' ? {} : { 'Retry-After': '5' }),
      })
  }
}
