import { Data } from 'effect'

/** The API cannot listen. */
export class ApiStartFailed extends Data.TaggedError('ApiStartFailed')<{
  readonly reason: 'port_in_use' | 'address_unavailable' | 'not_permitted' | 'other'
  readonly host: string
  readonly port: number
  readonly cause?: unknown
}> {
  override get message(): string {
    const next = {
      port_in_use: 'the port is in use; stop what listens there or choose another with --port',
      address_unavailable: 'this machine has no such address; choose another with --host',
      not_permitted: 'listening there is not permitted; choose a port above 1023 with --port',
      other: 'the operating system refused; look at the cause',
    }[this.reason]
    return `the API cannot listen on ${this.host}:${this.port}: ${next}`
  }
}

const reasons: Readonly<Record<string, ApiStartFailed['reason']>> = {
  EADDRINUSE: 'port_in_use',
  EADDRNOTAVAIL: 'address_unavailable',
  ENOTFOUND: 'address_unavailable',
  EACCES: 'not_permitted',
}

/** Why listening failed, from the code of Node's error. */
export const startFailure = (host: string, port: number, cause: NodeJS.ErrnoException): ApiStartFailed =>
  new ApiStartFailed({ reason: reasons[cause.code ?? ''] ?? 'other', host, port, cause })
