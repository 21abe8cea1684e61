import { Effect } from 'effect'
import { WrongUsage } from './wrong-usage.ts'

const loopback = /^(?:localhost|(?:[\w-]+\.)*localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/

/**
 * Whether a `Host` header names this system, so that a page of another site cannot reach a local one by a name of its own (DNS rebinding).
 * Loopback names do; `allowed` adds names, `.example.com` with all below it, or `*` for every one.
 */
export const isAllowedHost =
  (allowed: ReadonlyArray<string>) =>
  (header: string | undefined): boolean => {
    const host = (header ?? '').trim().toLowerCase().replace(/:\d*$/, '')
    return loopback.test(host) || allowed.some((entry) => matches(entry.toLowerCase(), host))
  }

function matches(entry: string, host: string): boolean {
  if (entry === '*') return host !== ''
  return entry.startsWith('.') ? host === entry.slice(1) || host.endsWith(entry) : host === entry
}

/** The flag of every service that looks at `Host`, for `readFlags`; `readAllowedHosts` judges it. */
export const allowedHostFlag = { 'allowed-host': { type: 'string', multiple: true } } as const

/** The values of `--allowed-host`. */
export const readAllowedHosts = (
  names: ReadonlyArray<string> = [],
): Effect.Effect<ReadonlyArray<string>, WrongUsage> => {
  const unfit = names.find((name) => !/^(?:\*|\.?[\w.-]+|\[[\da-f:.]+\])$/i.test(name))
  return unfit === undefined
    ? Effect.succeed(names)
    : new WrongUsage({ message: `--allowed-host ${unfit} is not a host; give a name without scheme, port or path.` })
}

/** The `detail` of the 400 for another host. */
export const unknownHostDetail = 'Unknown Host; the operator names the hosts of this system with --allowed-host.'
