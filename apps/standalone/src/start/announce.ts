import { hostname } from 'node:os'
import { Redacted } from 'effect'
import { bootstrapTokenName } from '../config.ts'
import type { System } from '../system.ts'
import { complain, onTerminal, say } from '../terminal.ts'
import { isLoopback } from './addresses.ts'

/** Says that all is served, and how to get in. Secrets are shown to a terminal only; elsewhere the line names their file. */
export function announce({ url, token, signInUrl }: System, host: string): void {
  const ready = `netbox-pbs ready: ${url}/plugins/pbs/`
  if (token.file === null) say(`${ready} token as given by ${bootstrapTokenName}`)
  else if (onTerminal()) say(`${ready} token ${Redacted.value(token.token)}`)
  else say(`${ready} token in ${token.file}`)
  if (onTerminal()) say(`sign in once, within the hour: ${Redacted.value(signInUrl)}`)
  if (!isLoopback(host)) {
    complain(
      `other machines reach it as ${hostname()} and without TLS: put a TLS proxy before it, for tokens pass in the clear`,
    )
  }
}
