import { Redacted } from 'effect'
import type { System } from '../system.ts'
import { onTerminal, say } from '../terminal.ts'

/** Says that all is served, and how to get in. Secrets are shown to a terminal only; elsewhere the line names their file. */
export function announce({ url, token, signInUrl }: System): void {
  const ready = `netbox-pbs ready: ${url}/plugins/pbs/`
  if (token.file === null) say(`${ready} token as given by NETBOX_PBS_BOOTSTRAP_TOKEN`)
  else if (onTerminal()) say(`${ready} token ${Redacted.value(token.token)}`)
  else say(`${ready} token in ${token.file}`)
  if (onTerminal()) say(`sign in once, within the hour: ${Redacted.value(signInUrl)}`)
}
