import { hostname } from 'node:os'
import { isLoopback } from '@netbox-pbs/app-shell'
import { Redacted } from 'effect'
import { bootstrapTokenName } from '../config.ts'
import type { System } from '../system.ts'
import { complain, onTerminal, say } from '../terminal.ts'

/** How to get in. A terminal is shown the token by the start that made it; otherwise the line names the file. */
export function readyLine({ url, token }: Pick<System, 'url' | 'token'>, terminal: boolean): string {
  const ready = `netbox-pbs ready: ${url}/plugins/pbs/`
  if (token.file === null) return `${ready} token as given by ${bootstrapTokenName}`
  return token.made && terminal ? `${ready} token ${Redacted.value(token.token)}` : `${ready} token in ${token.file}`
}

/** Says that all is served, and how to get in. Secrets are shown to a terminal only. */
export function announce(system: System, { host, servers }: { readonly host: string; readonly servers: number }): void {
  say(readyLine(system, onTerminal()))
  if (onTerminal()) say(`sign in once, within the hour: ${Redacted.value(system.signInUrl)}`)
  if (servers === 0 && onTerminal())
    complain('no servers yet: "netbox-pbs server add" connects one, as does “Add a server” on the first page')
  if (!isLoopback(host)) {
    complain(
      `other machines reach it as ${hostname()} and without TLS: put a TLS proxy in front of it, because tokens are sent in clear text`,
    )
  }
}

/** The size that the embedded database is meant for. */
const embeddedSnapshots = 200_000

/** A hint for an embedded database of this many snapshots; null: it is fine. */
export const adviceFor = (snapshots: number): string | null =>
  snapshots > embeddedSnapshots
    ? `the embedded database holds ${snapshots} snapshots and is meant for up to ${embeddedSnapshots}: set DATABASE_URL to a PostgreSQL to stay fast`
    : null
