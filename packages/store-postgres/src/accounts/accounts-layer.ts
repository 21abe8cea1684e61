import type { ApiTokens, Sessions } from '@netbox-pbs/core/ports'
import { Layer } from 'effect'
import type { Database } from '../database/database.ts'
import { apiTokensLayer } from './api-tokens.ts'
import { sessionsLayer } from './sessions.ts'

/** Access of users: API tokens, sessions and sign-in links. */
export const accountsLayer: Layer.Layer<ApiTokens | Sessions, never, Database> = Layer.merge(
  apiTokensLayer,
  sessionsLayer,
)
