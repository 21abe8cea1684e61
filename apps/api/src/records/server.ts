import { z } from 'zod'
import { time } from './fields.ts'

/** A server as the rows below it name it. */
export const BriefServer = z.object({ id: z.int(), url: z.url(), display: z.string(), name: z.string() })

/** How a write names a server: by one of the two, or by both. */
export const ServerReference = z.object({ id: z.int().optional(), name: z.string().optional() })

/** The result of a test of a connection. */
export const EndpointTest = z.object({
  reachable: z.boolean(),
  version: z.string().nullable(),
  code: z.string().nullable().describe('Error code, as in `last_error_code`; null without an error.'),
  error: z.string().nullable(),
  presented_fingerprint: z.string().nullable(),
  missing_privileges: z.array(z.string()).describe('Without an error, these only make the inventory incomplete.'),
  acl_commands: z.array(z.string()).describe('Commands to run on the server to grant them.'),
  token_warning: z
    .string()
    .nullable()
    .describe(
      'Says that the token may do more than an inventory needs, and how to change that. Empty: it may not. Null: not known.',
    ),
})

/** The body of a test of a server. */
export const ServerTestRequest = z
  .object({ token_secret: z.string().meta({ writeOnly: true }).optional() })
  .describe('Empty: tests the stored connection. With a secret: tests the given connection and stores nothing.')

/** How full a datastore was. */
export const UsagePoint = z.object({ time, used_bytes: z.int(), total_bytes: z.int() })
