import { Context } from 'effect'

/** Counts what requests ask of a server. Its methods must not throw. */
export interface RequestMeter {
  /** A request was sent; with it so many of the client are open. */
  readonly sent: (inFlight: number) => void
  /** Milliseconds of waiting for a server, and the bytes of a body that they brought. */
  readonly waited: (millis: number, bytes: number) => void
}

/**
 * The meter of the requests that an effect or a stream sends, a second try included. Provide one to count them; by
 * default they are not counted.
 */
export class CurrentMeter extends Context.Reference<CurrentMeter>()('@netbox-pbs/pbs-client/CurrentMeter', {
  defaultValue: (): RequestMeter => ({ sent: () => {}, waited: () => {} }),
}) {}
