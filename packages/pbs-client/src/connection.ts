import type { Redacted } from 'effect'

/** How to reach one Proxmox Backup Server, and as whom. */
export interface PbsConnection {
  /** Host name, IPv4 or IPv6 address (with or without brackets). */
  readonly host: string
  /** Usually 8007. */
  readonly port: number
  /** `user@realm!tokenname`. */
  readonly tokenId: string
  readonly tokenSecret: Redacted.Redacted<string>
  /**
   * SHA-256 of the leaf certificate in hex, any case, with or without colons. If given it must
   * match, also for a certificate that its CA verifies.
   */
  readonly fingerprint: string | null
  /** Without a fingerprint: whether the certificate chain and the host name must verify. */
  readonly verifySsl: boolean
  /** Bounds, each on its own: connecting, waiting for the first byte, and every silence inside a response. */
  readonly timeoutSeconds: number
  /** Requests that may be open at the same time; by default 4. */
  readonly concurrency?: number
}

/** The address in messages and URLs: IPv6 in brackets. */
export const authority = (connection: Pick<PbsConnection, 'host' | 'port'>): string => {
  const host = bareHost(connection.host)
  return host.includes(':') ? `[${host}]:${connection.port}` : `${host}:${connection.port}`
}

/** The host without the brackets of an IPv6 literal, as sockets need it. */
export const bareHost = (host: string): string =>
  host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host

/**
 * A text as a part of a path or a query. Half a surrogate pair, which no URL can hold, is replaced;
 * the server then knows no such name.
 */
export const urlPart = (text: string): string => encodeURIComponent(text.toWellFormed())

/** A SHA-256 fingerprint as PBS writes it (lower case hex joined with colons), or null when it is not one. */
export const normalizeFingerprint = (text: string): string | null => {
  const hex = text.trim().replaceAll(':', '').toLowerCase()
  return /^[0-9a-f]{64}$/.test(hex) ? (hex.match(/../g) ?? []).join(':') : null
}
