import { tokenFields } from '@netbox-pbs/core'
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
  version: z.union([z.literal(1), z.literal(2)]),
  key: z.string().nullable().describe('The public part of a token of version 2; null for version 1, which has none.'),
  user: z.object({ id: z.int(), url: z.url(), display: z.string(), username: z.string() }),
  description: z.string(),
  created: time,
  expires: time.nullable(),
  last_used: time.nullable().describe('Noted at most once a minute.'),
  enabled: z.boolean(),
  write_enabled: z.boolean(),
  allowed_ips: z.array(z.string()).describe('Networks from which it may be used; none: from everywhere.'),
})

/** The filters of the list of tokens. */
export const tokenFilter = recordFilter<{ readonly search?: string }>(Token, {
  fields: tokenFields,
  parameters: { search: search('q') },
})

/** A token as it is made, with its secret this once. */
export const NewToken = Token.extend({
  token: z.string().describe('The secret: clients send `Bearer nbt_<key>.<token>`, or `Token <token>` for version 1.'),
})

/** The body that changes a token. */
export const TokenChange = z.object({
  description: z.string().max(200).optional(),
  enabled: z.boolean().optional(),
  write_enabled: z.boolean().optional(),
  expires: time.nullable().optional(),
  allowed_ips: z.array(z.string()).max(100).nullable().optional(),
})

/** The body that makes a token. */
export const TokenRequest = TokenChange.extend({
  user: z.int().optional().describe('Left out: the user of the request.'),
  version: z.union([z.literal(1), z.literal(2)]).optional(),
  token: z.string().meta({ writeOnly: true }).optional().describe('40 letters and digits; left out: random ones.'),
})

/** The body that makes a token for the user of a password. */
export const TokenProvision = TokenRequest.omit({ user: true }).extend({
  username: z.string(),
  password: z.string().meta({ writeOnly: true }),
})

/** The body that changes one of many tokens. */
export const TokenChangeOfMany = TokenChange.extend({ id: z.int() })

/** A token as REST answers it. */
export const servedToken = (base: string, { id, version, key, user, ...about }: ApiToken): z.infer<typeof Token> => ({
  id,
  url: `${base}${tokensPath}${id}/`,
  display: version === 2 ? key : `Version 1 token ${id}`,
  version,
  key: version === 2 ? key : null,
  user: userAddress(base, user),
  description: about.description,
  created: about.created,
  expires: about.expires,
  last_used: about.last_used,
  enabled: about.enabled,
  write_enabled: about.write_enabled,
  allowed_ips: [...about.allowed_ips],
})
