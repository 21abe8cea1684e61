import type { LogFormat } from '@netbox-pbs/app-shell'

/** The flags of `start`, checked. Ports of 0 are chosen by the system. */
export interface StartOptions {
  readonly host: string
  readonly port: number
  readonly gatewayPort: number
  /** Accepted host names of the API in addition to the machine's own. */
  readonly allowedHosts: ReadonlyArray<string>
  /** Seconds that one statement of a request may take in PostgreSQL. */
  readonly statementTimeoutSeconds: number
  /** Undefined: {@link defaultDataDir}, or nothing kept in a demo. */
  readonly dataDir: string | undefined
  readonly logFormat: LogFormat
  /** Null: no simulated servers. */
  readonly demo: DemoOptions | null
}

/** A simulated fleet. */
export interface DemoOptions {
  readonly servers: number
  /** Over the whole fleet. */
  readonly snapshots: number
  /** Another seed, another fleet. */
  readonly seed: number
}
