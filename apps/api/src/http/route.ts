import { createRoute, type RouteConfig } from '@hono/zod-openapi'
import type { Effect } from 'effect'
import type { ApiServices } from '../services.ts'
import type { ApiContext } from './caller.ts'
import type { HandlerError } from './run.ts'

/** A handler: from validated input through a use case to the response. */
export type Handler = (c: ApiContext) => Effect.Effect<Response, HandlerError, ApiServices>

/** An operation of the API: its description and its handler. */
export interface Route {
  readonly config: RouteConfig
  readonly handler: Handler
}

/** Describes an operation and says what answers it. */
export const route = (config: RouteConfig, handler: Handler): Route => ({ config: createRoute(config), handler })
