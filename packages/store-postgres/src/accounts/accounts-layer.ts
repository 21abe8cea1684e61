import type { ApiTokens, Identities, Sessions, Users } from '@netbox-pbs/core/ports'
import { Layer } from 'effect'
import type { Database } from '../database/database.ts'
import { apiTokensLayer } from './api-tokens.ts'
import { identitiesLayer } from './identities.ts'
import { sessionsLayer } from './sessions.ts'
import { usersLayer } from './users.ts'

/** Users and their access: API tokens, sessions and sign-in links. */
export const accountsLayer: Layer.Layer<ApiTokens | Identities | Sessions | Users, never, Database> = Layer.mergeAll(
  apiTokensLayer,
  identitiesLayer,
  sessionsLayer,
  usersLayer,
)
