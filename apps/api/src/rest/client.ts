/** How a client reached us: by its connection, or as a trusted proxy in front says. */
export interface Client {
  readonly scheme: 'http' | 'https'
  /** Name and port. */
  readonly host: string
  /** The path below which we are served, without a slash at its end; empty: none. */
  readonly prefix: string
  /** Its IP address, IPv4 in its own form; null: its connection is closed. */
  readonly address: string | null
}
