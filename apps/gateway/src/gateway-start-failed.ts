import { Data } from 'effect'

/** The gateway cannot listen, or (`no_store`) cannot store its first key. */
export class GatewayStartFailed extends Data.TaggedError('GatewayStartFailed')<{
  readonly reason: 'port_in_use' | 'address_unavailable' | 'not_permitted' | 'no_store' | 'other'
  readonly host: string
  readonly port: number
  readonly cause?: unknown
}> {
  override get message(): string {
    if (this.reason === 'no_store') {
      const why = this.cause instanceof Error ? this.cause.message : 'the database refused'
      return `the gateway cannot make its key known: ${why}`
    }
    const next = {
      port_in_use: 'the port is in use; stop what listens there or choose another with --port',
      address_unavailable: 'this machine has no such address; choose another with --host',
      not_permitted: 'listening there is not permitted; choose a port above 1023 with --port',
      other: 'the operating system refused; look at the cause',
    }[this.reason]
    return `the gateway cannot listen on ${this.host}:${this.port}: ${next}`
  }
}

const reasons: Readonly<Record<string, GatewayStartFailed['reason']>> = {
  EADDRINUSE: 'port_in_use',
  EADDRNOTAVAIL: 'address_unavailable',
  ENOTFOUND: 'address_unavailable',
  EACCES: 'not_permitted',
}

/** Why listening failed, from the code of Node's error. */
export const startFailure = (host: string, port: number, cause: NodeJS.ErrnoException): GatewayStartFailed =>
  new GatewayStartFailed({ reason: reasons[cause.code ?? ''] ?? 'other', host, port, cause })
