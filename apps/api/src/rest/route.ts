import { createRoute, type RouteConfig } from '@hono/zod-openapi'
import type { Role } from '@netbox-pbs/core'
import type {
  ApprovalNotAllowed,
  BranchNameTaken,
  BranchNotApproved,
  BranchNotFound,
  BranchNotMerged,
  BranchNotOpen,
  BranchOfRun,
  BranchScopeUnknown,
  BranchValueTaken,
  EndpointNotFound,
  EndpointRejected,
  GatewayUnavailable,
  HeldDeletionsNotFound,
  ServerGone,
  StoreFailed,
  VersionChanged,
} from '@netbox-pbs/core/ports'
import type { RunNotStarted, ServerNotFound, ServerNotUsable, ServerPending } from '@netbox-pbs/sync'
import type { Effect } from 'effect'
import type { ApiServices } from '../services.ts'
import type { BranchPlace } from './branch-place.ts'
import type { ApiContext } from './caller.ts'
import type { HttpError, ValidationFailed } from './http-error.ts'

/** The expected errors of a handler; everything else is a defect. */
export type HandlerError =
  | HttpError
  | StoreFailed
  | ValidationFailed
  | GatewayUnavailable
  | EndpointRejected
  | EndpointNotFound
  | ServerNotFound
  | ServerNotUsable
  | ServerPending
  | RunNotStarted
  | BranchNameTaken
  | BranchNotFound
  | BranchNotOpen
  | BranchOfRun
  | BranchNotApproved
  | BranchScopeUnknown
  | BranchValueTaken
  | BranchNotMerged
  | ApprovalNotAllowed
  | HeldDeletionsNotFound
  | ServerGone
  | VersionChanged

/** The bridge from a handler's Effect to its HTTP response. */
export type Run = (c: ApiContext, handler: Effect.Effect<Response, HandlerError, ApiServices>) => Promise<Response>

/** A handler: from validated input through a use case to the response. */
export type Handler = (c: ApiContext) => Effect.Effect<Response, HandlerError, ApiServices>

/** An operation of the API: its description and its handler. */
export interface Route {
  readonly config: RouteConfig
  readonly handler: Handler
}

/** Describes an operation, for the reader of its document too, and sets its handler. */
export const route = (
  config: RouteConfig & { readonly summary: string; readonly description: string },
  handler: Handler,
): Route => ({ config: createRoute(config), handler })

/** The operations of one path. */
export interface Path {
  readonly routes: ReadonlyArray<Route>
  /** Body of the answer to `OPTIONS`. */
  readonly describe?: (c: ApiContext) => Effect.Effect<object, HandlerError, ApiServices>
  /** Answered without a token. */
  readonly open?: true
  /** The role that its writing methods need; `admin` by default. */
  readonly writers?: Role
  /**
   * Its answers, and what it does, are limited to the servers that the user sees. A path without this is
   * refused to users who do not see all of them.
   */
  readonly byServer?: true
  /** How the path treats a request that names a branch; `main` by default. */
  readonly branch?: BranchPlace
}
