/** Whether a host is this machine alone: `localhost`, or an address of loopback without brackets. */
export const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host)

const hasLoopbackName = (host: string): boolean =>
  host === '[::1]' || (host !== '::1' && isLoopback(host)) || /^(?:[\w-]+\.)+localhost$/.test(host)

/**
 * Whether a `Host` header names this system, so that a page of another site cannot reach a local
 * one by a name of its own (DNS rebinding). Loopback names do; `allowed` adds names, `.example.com`
 * with all below it, or `*` for every one.
 */
export const isAllowedHost =
  (allowed: ReadonlyArray<string>) =>
  (header: string | undefined): boolean => {
    const host = (header ?? '').trim().toLowerCase().replace(/:\d*$/, '')
    return hasLoopbackName(host) || allowed.some((entry) => matches(entry.toLowerCase(), host))
  }

function matches(entry: string, host: string): boolean {
  if (entry === '*') return host !== ''
  return entry.startsWith('.') ? host === entry.slice(1) || host.endsWith(entry) : host === entry
}

/** Whether a text can be an entry of the allowed hosts: a name without scheme, port or path. */
export const isHostName = (text: string): boolean => /^(?:\*|\.?[\w.-]+|\[[\da-f:.]+\])$/i.test(text)

/** The `detail` of the 400 for another host. */
export const unknownHostDetail = 'Unknown Host; the operator names the hosts of this system with --allowed-host.'

/** A host as a URL has it: an IPv6 address in brackets. */
export const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)
