import { z } from 'zod'

/** The longest address of a gateway, in characters. */
const longest = 2000

/**
 * The address of a gateway: an http or https URL without user, query and fragment, or empty. Link-local addresses and
 * those of cloud metadata services are refused, to keep the key from being sent there. Names are not
 * resolved, so a name with such an address passes.
 */
export const GatewayUrl = z
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
