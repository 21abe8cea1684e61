import { Data } from 'effect'

/** A server cannot listen where it was told to. */
export class CannotListen extends Data.TaggedError('CannotListen')<{
  readonly reason: 'port_in_use' | 'address_unavailable' | 'not_permitted' | 'other'
  /** Who, as a sentence's subject: `the gateway`. */
  readonly who: string
  readonly host: string
  readonly port: number
  /** The flag that chooses the port. */
  readonly portFlag: string
  readonly cause?: unknown
}> {
  override get message(): string {
    const next = {
      port_in_use: `the port is in use; stop what listens there or choose another with ${this.portFlag}`,
      address_unavailable: 'this machine has no such address; choose another with --host',
      not_permitted: `listening there is not permitted; choose a port above 1023 with ${this.portFlag}`,
      other: 'the operating system refused; look at the cause',
    }[this.reason]
    return `${this.who} cannot listen on ${this.host}:${this.port}: ${next}`
  }
}

const reasons: Readonly<Record<string, CannotListen['reason']>> = {
  EADDRINUSE: 'port_in_use',
  EADDRNOTAVAIL: 'address_unavailable',
  ENOTFOUND: 'address_unavailable',
  EACCES: 'not_permitted',
}

/** Why listening failed, by the code of Node's error. */
export const listenReason = (code: string | undefined): CannotListen['reason'] => reasons[code ?? ''] ?? 'other'
