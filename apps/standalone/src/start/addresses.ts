import { hostname, networkInterfaces } from 'node:os'
import { isLoopback, urlHost } from '@netbox-pbs/app-shell'

const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** Where this machine itself reaches a server that listens on `host`. */
export const ownAddress = (host: string, port: number): string => `http://${urlHost(everywhere[host] ?? host)}:${port}`

/** Names by which other machines may ask for a server that listens on `host`: none on loopback, else the machine's name and addresses. */
export function ownNames(host: string): ReadonlyArray<string> {
  if (isLoopback(host)) return []
  const name = hostname().toLowerCase()
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
  const short = name.split('.', 1)
  return [...new Set([name, ...short, ...addresses.map(({ address }) => urlHost(address.replace(/%.*$/, '')))])]
}
