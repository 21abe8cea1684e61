import type { ApiToken } from '@netbox-pbs/core/ports'
import { z } from 'zod'
import { tokensPath, userAddress } from '../rest/links.ts'
import { recordFilter, search } from '../rest/read-filter.ts'
import { time } from './fields.ts'

/** An API token, without its secret. */
export const Token = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  version: z.int(),
  key: z.string(),
  user: z.object({ id: z.int(), url: z.url(), display: z.string(), username: z.string() }),
  description: z.string(),
  created: time,
  expires: time.nullable(),
  last_used: time.nullable(),
  enabled: z.boolean(),
  write_enabled: z.boolean(),
})

/** The filters of the list of tokens. */
export const tokenFilter = recordFilter<{ readonly key?: string }>(Token, { parameters: { key: search('key') } })

/** A token as it is made, with its secret this once. */
export const NewToken = Token.extend({ token: z.string() })

/** The body that makes a token. */
export const TokenRequest = z.object({
  user: z.int().optional(),
  description: z.string().max(200).optional(),
  write_enabled: z.boolean().optional(),
  expires: time.nullable().optional(),
})

/** A token as REST answers it. */
export const servedToken = (base: string, { id, key, user, ...about }: ApiToken): z.infer<typeof Token> => ({
  id,
  url: `${base}${tokensPath}${id}/`,
  display: `${key} (${user.username})`,
  version: 2,
  key,
  user: userAddress(base, user),
  description: about.description,
  created: about.created,
  expires: about.expires,
  last_used: about.last_used,
  enabled: about.enabled,
  write_enabled: about.write_enabled,
})
