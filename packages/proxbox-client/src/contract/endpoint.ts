import { z } from 'zod'
import { fieldErrors } from './error-body.ts'
import { failedCodes } from './frame.ts'

const fingerprint = /^(?:[0-9a-f]{2}(?::[0-9a-f]{2}){31}|[0-9a-f]{64})$/i
const tokenId = /^[^\s:/@!\p{Cc}]+@[A-Za-z0-9_][A-Za-z0-9._-]*![A-Za-z0-9_][A-Za-z0-9._-]*$/u

const text = () => z.string({ error: ({ input }) => (input === undefined ? 'is required' : 'must be text') })

const line = (max: number, start = text()) =>
  start
    .min(1, 'must not be empty')
    .max(max, `must have at most ${max} characters`)
    .regex(/^\P{Cc}*$/u, 'must not hold control characters')
    .refine((text) => text.isWellFormed(), 'must not hold half of a surrogate pair')

/** A secret in quotes, behind its token id, or in the header of a request. */
const pastedWithMore = /^["'`]|["'`]$|^PBSAPIToken|[!@=:]/

const fields = {
  name: line(255),
  host: line(255).superRefine((host, context) => {
    const message = wrongHost(host)
    if (message !== null) context.addIssue({ code: 'custom', message })
  }),
  port: z.int('must be a whole number').min(1, 'must be 1 to 65535').max(65535, 'must be 1 to 65535'),
  token_id: line(255).refine((text) => tokenId.test(text) && !/^PBSAPIToken[=\s]|^["']/.test(text), {
    message: 'must be like user@realm!tokenname, without PBSAPIToken=, quotes and secret',
  }),
  // A copied line often brings a line break along.
  token_secret: line(2000, text().trim())
    .regex(/^\S+$/, 'must not hold white space')
    .refine((text) => !pastedWithMore.test(text), {
      message:
        'must be the secret alone, like 6f0c1d7e-89ab-4cde-8f01-23456789abcd, without quotes and without the token id',
    }),
  fingerprint: z
    .string('must be text or null')
    .refine(
      (text) => text === '' || fingerprint.test(text),
      'must be a SHA-256 fingerprint: 64 hex digits, or 32 pairs with colons',
    )
    .nullable()
    .transform((text) => (text === '' ? null : text)),
  verify_ssl: z.boolean('must be true or false'),
  enabled: z.boolean('must be true or false'),
  timeout_seconds: z.int('must be a whole number').min(1, 'must be 1 to 600').max(600, 'must be 1 to 600'),
  /** Always false; callers of proxbox-api may send it back. */
  allow_writes: z.boolean('must be true or false').optional(),
}

/** A new endpoint as the gateway takes it: strict, with proxbox-api's defaults. An empty fingerprint is none. */
export const EndpointIn = z
  .strictObject({
    ...fields,
    port: fields.port.default(8007),
    fingerprint: fields.fingerprint.default(null),
    verify_ssl: fields.verify_ssl.default(true),
    enabled: fields.enabled.default(true),
    timeout_seconds: fields.timeout_seconds.default(30),
  })
  .transform(withoutAllowWrites)
export type EndpointIn = z.output<typeof EndpointIn>

/** A change of an endpoint: any of its fields. */
export const EndpointPatch = z.strictObject(fields).partial().transform(withoutAllowWrites)
export type EndpointPatch = z.output<typeof EndpointPatch>

function withoutAllowWrites<T extends { readonly allow_writes?: boolean | undefined }>(
  endpoint: T,
): Omit<T, 'allow_writes'> {
  const { allow_writes: _, ...rest } = endpoint
  return rest
}

/** An endpoint as `/pbs/endpoints` shows it: never with its secret. Read tolerantly. */
export const EndpointOut = z.object({
  id: z.int().min(1),
  name: z.string(),
  host: z.string(),
  port: z.int(),
  token_id: z.string(),
  fingerprint: z
    .string()
    .nullish()
    .transform((text) => text ?? null),
  verify_ssl: z.boolean(),
  /** Left out by releases that know no disabled endpoints. */
  enabled: z.boolean().default(true),
  timeout_seconds: z.int(),
  allow_writes: z.boolean().optional(),
})
export type EndpointOut = z.output<typeof EndpointOut>

/** A page of `GET /pbs/endpoints`: a bare array. */
export const EndpointPage = z.array(EndpointOut)

/** The body of `POST /pbs/endpoints/test`: a stored endpoint by id, or a whole one with its secret. */
export const EndpointTestIn = z.unknown().transform((body, context): { readonly id: number } | EndpointIn => {
  const schema = typeof body === 'object' && body !== null && 'id' in body ? EndpointById : EndpointIn
  const read = schema.safeParse(body)
  if (read.success) return read.data
  for (const field of fieldErrors(read.error.issues)) context.addIssue({ code: 'custom', ...field })
  return z.NEVER
})
export type EndpointTestIn = z.output<typeof EndpointTestIn>

const EndpointById = z.strictObject({ id: z.int('must be a whole number').min(1, 'must be at least 1') })

/** The outcome of a test; nothing is stored. */
export const EndpointTestOut = z.object({
  reachable: z.boolean(),
  version: z.string().nullable(),
  /** Of `error`, as in a `failed` frame; null when all is well, and where the gateway gives none. */
  code: z.enum(failedCodes).nullable().catch(null),
  error: z.string().nullable(),
  presented_fingerprint: z.string().nullable(),
  missing_privileges: z.array(z.string()),
  /** Commands to run on the server to grant them. */
  acl_commands: z.array(z.string()).default([]),
  /** That the token may do more than an inventory needs, with the cure; empty: it may not; null: not known. */
  token_warning: z.string().nullable().default(null),
})
export type EndpointTestOut = z.output<typeof EndpointTestOut>

/** A name of the domain name system: labels of letters, digits, hyphens and underscores. */
const name = /^(?=.{1,253}\.?$)(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?$/

const rule = 'must be a host name or an address, without scheme, port or path'

/**
 * The error of the host of a server, which is a name, an IPv4 or an IPv6 address, also in brackets;
 * null: it is valid. For an address that was pasted whole, the error names its parts.
 */
export function wrongHost(text: string): string | null {
  if (isHost(text)) return null
  const parts = partsOf(text)
  return parts === null ? rule : `${rule}: host ${parts.host}, port ${parts.port}`
}

function isHost(text: string): boolean {
  const bare = /^\[(.*)\]$/.exec(text)?.[1]
  if (bare !== undefined) return isIpv6(bare)
  // A name that ends in a number would be taken for an address in an old notation.
  return isIpv4(text) || isIpv6(text) || (name.test(text) && !/(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)\.?$/.test(text))
}

/** Four decimal numbers that the platform's parser of URLs does not write in another way. */
const isIpv4 = (text: string): boolean =>
  /^\d+(?:\.\d+){3}$/.test(text) && URL.canParse(`http://${text}`) && new URL(`http://${text}`).hostname === text

/** Without a zone, which is of one machine only. */
const isIpv6 = (text: string): boolean => /^[0-9A-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]`)

/** Host and port of `https://host:8007/`, `host:8007` or `[::1]:8007`; null when it is none of these. */
function partsOf(text: string): { readonly host: string; readonly port: string } | null {
  const authority = /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/)?([^/?#@\s]+)(?:[/?#].*)?$/.exec(text)?.[1]
  const split = authority === undefined ? null : /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(authority)
  const [host, port = '8007'] = split?.slice(1) ?? []
  return host !== undefined && isHost(host) ? { host, port } : null
}
