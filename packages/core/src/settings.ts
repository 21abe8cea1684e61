import { z } from 'zod'

/** The longest address of a gateway, in characters. */
const longest = 2000

/**
 * The address of a gateway: an http or https URL without user, query and fragment, or empty.
 * Link-local addresses and those of cloud metadata services are refused, to protect the key; names
 * are not resolved.
 */
const GatewayUrl = z
  .string()
  .max(longest, `Ensure this field has no more than ${longest} characters.`)
  .superRefine((text, context) => {
    const wrong = text === '' ? null : whatIsWrong(text)
    if (wrong !== null) context.addIssue({ code: 'custom', message: wrong })
  })

function whatIsWrong(text: string): string | null {
  // URL strips white space around an address and line breaks inside it.
  if (/[\s\p{Cc}\p{Cs}]/u.test(text)) return 'This field must not hold white space or control characters.'
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null
  if (url === null) return 'Enter an http or https URL, like http://127.0.0.1:8800.'
  if (url.username !== '' || url.password !== '')
    return 'This field must not hold a user or password: send the key of the gateway as proxbox_api_key.'
  if (/[?#]/.test(text)) return 'This field must not hold a query or a fragment.'
  return isLinkLocal(url.hostname)
    ? 'This field must not be a link-local address or that of a cloud metadata service: enter the address of the gateway.'
    : null
}

/** Takes a host name as URL writes it: IPv4 in dotted decimal, IPv6 short and in brackets. */
const isLinkLocal = (host: string): boolean =>
  host.startsWith('169.254.') ||
  /^\[fe[89ab][0-9a-f]:/.test(host) ||
  // An IPv4 address inside an IPv6 one: mapped, or translated.
  /:a9fe:[0-9a-f]{1,4}\]$/.test(host) ||
  ['[fd00:ec2::254]', 'metadata.google.internal', 'metadata.google.internal.'].includes(host)

/** Text that a database stores as it is. */
const text = z
  .string()
  .refine((given) => !given.includes('\0'), 'Null characters are not allowed.')
  .refine((given) => given.isWellFormed(), 'Surrogate characters are not allowed.')

const noNetwork = 'Enter networks like 192.168.1.0/24, 10.0.0.5/32 or fd00:1::/64.'

/** The settings of the whole system. `proxbox_api_key` is write-only and never part of them. */
export const Settings = z.strictObject({
  proxbox_api_url: GatewayUrl,
  branching_enabled: z.boolean(),
  branch_name_prefix: text.min(1).max(64),
  branch_on_conflict: z.enum(['abort', 'overwrite']),
  /** A branch lands only after a user other than its author has approved it. */
  branch_approval_required: z.boolean(),
  /** Cron in UTC; empty: the interval decides. */
  sync_schedule: text.max(255),
  /** Minutes; 0 is off. */
  sync_interval_minutes: z.int().min(0).max(525_600),
  /**
   * Hours between two full lists of a namespace's snapshots; scheduled runs in between are light. 0: every run is full.
   */
  full_sync_interval_hours: z.int().min(0).max(8760),
  /** Requests to each server on a day (UTC), after which no scope of it is begun. 0: no ceiling. */
  pbs_requests_per_day: z.int().min(0).max(1_000_000_000),
  guard_max_share: z.number().min(0).max(1),
  guard_min_rows: z.int().min(0).max(1_000_000_000),
  changelog_retention_days: z.int().min(0).max(36_500),
  run_retention_days: z.int().min(0).max(36_500),
  task_retention_days: z.int().min(0).max(36_500),
  delivery_retention_days: z.int().min(0).max(36_500),
  /** Private networks to which webhooks may be sent, as CIDRs. Public addresses need none. */
  webhook_allowed_networks: z.array(z.union([z.cidrv4(), z.cidrv6()], noNetwork)).max(100),
})
/** The settings as stored, without the key. */
export type Settings = z.infer<typeof Settings>

/** The settings of a new system. */
export const defaultSettings: Settings = {
  proxbox_api_url: '',
  branching_enabled: false,
  branch_name_prefix: 'pbs-sync',
  branch_on_conflict: 'abort',
  branch_approval_required: false,
  sync_schedule: '',
  sync_interval_minutes: 60,
  full_sync_interval_hours: 24,
  pbs_requests_per_day: 0,
  guard_max_share: 0.3,
  guard_min_rows: 50,
  changelog_retention_days: 90,
  run_retention_days: 90,
  task_retention_days: 90,
  delivery_retention_days: 30,
  webhook_allowed_networks: [],
}
