import { constants } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { bareHost, normalizeFingerprint, type PbsConnection } from './connection.ts'
import { eventCallback } from './event-callback.ts'

/** The certificate of a server. */
export interface PresentedCertificate {
  /** SHA-256, lower case hex joined with colons. */
  readonly fingerprint: string
  readonly subject: string
  readonly issuer: string
  readonly validFrom: string
  readonly validTo: string
}

/** The server may not be trusted; nothing was sent to it. */
export class Untrusted extends Error {
  constructor(
    readonly kind: 'tls_fingerprint_mismatch' | 'tls_untrusted',
    message: string,
    readonly fingerprints: { readonly expected: string | null; readonly presented: string },
  ) {
    super(message)
  }
}

/** Connecting or the handshake took too long. */
export class ConnectTimeout extends Error {}

/** The end of a handshake: a socket, or why there is none. */
export type Opened = (...outcome: [error: null, socket: TLSSocket] | [error: Error, socket: null]) => void

/**
 * Opens a socket and verifies the server before a byte of a request is written; it fails with
 * {@link Untrusted} where the certificate is not the pinned one or does not verify. `done` runs
 * once and must not throw.
 */
export const openVerified = (connection: PbsConnection, signal: AbortSignal, done: Opened): void =>
  openSocket(connection, signal, (error, socket) => {
    if (socket === null) return done(error, null)
    let rejected: Error | null
    try {
      rejected = judgePeer(connection, socket, presentedCertificate(socket))
    } catch (defect) {
      rejected = defect instanceof Error ? defect : new Error(String(defect))
    }
    if (rejected === null) return done(null, socket)
    socket.on('error', () => {}).destroy()
    done(rejected, null)
  })

/**
 * Opens a TLS socket whose peer is not judged yet; `done` runs once, at the end of the handshake, and must not throw.
 * Sessions are never resumed or renegotiated, so that the judged certificate holds for the life of the socket.
 */
export const openSocket = (connection: PbsConnection, signal: AbortSignal, done: Opened): void => {
  const host = bareHost(connection.host)
  const socket = connect({
    host,
    port: connection.port,
    servername: isIP(host) === 0 ? host : '',
    // judgePeer decides before the first byte is written: this way an error can name the certificate of a wrong peer.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET,
  })
  const settle = (error: Error | null) => {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    socket.off('secureConnect', connected).off('error', settle).off('close', closed)
    if (error === null) return done(null, socket)
    // Late errors of an abandoned socket are ignored.
    socket.on('error', () => {}).destroy()
    done(error, null)
  }
  const connected = eventCallback(
    (defect) => settle(defect instanceof Error ? defect : new Error(String(defect))),
    () => {
      socket.disableRenegotiation()
      settle(null)
    },
  )
  const closed = () => settle(new Error('the connection was closed during the handshake'))
  const abort = () => settle(new Error('the request was given up'))
  const timer = setTimeout(
    () => settle(new ConnectTimeout(`no connection within ${connection.timeoutSeconds} s`)),
    connection.timeoutSeconds * 1000,
  )
  socket.once('secureConnect', connected).once('error', settle).once('close', closed)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
}

/**
 * The leaf certificate of a connected socket; null when the peer presented none. To be called once
 * for a socket: Node 22 returns the certificate of a peer only to the first call.
 */
export const presentedCertificate = (socket: TLSSocket): PresentedCertificate | null => {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return null
  return {
    fingerprint: normalizeFingerprint(certificate.fingerprint256) ?? '',
    subject: certificate.subject ?? '',
    issuer: certificate.issuer ?? '',
    validFrom: certificate.validFrom,
    validTo: certificate.validTo,
  }
}

/**
 * Whether a request may be sent to the peer, or why not; `certificate` is from
 * `presentedCertificate`. A pinned fingerprint must match in any case; without one the chain and
 * the host name must verify, unless `verifySsl` is off.
 */
export const judgePeer = (
  connection: PbsConnection,
  socket: TLSSocket,
  certificate: PresentedCertificate | null,
): Untrusted | null => {
  const presented = certificate?.fingerprint ?? 'none'
  if (connection.fingerprint !== null && connection.fingerprint !== '') {
    const expected = normalizeFingerprint(connection.fingerprint) ?? connection.fingerprint
    if (presented === expected) return null
    return new Untrusted('tls_fingerprint_mismatch', '', { expected, presented })
  }
  if (!connection.verifySsl || socket.authorized) return null
  // Node's types say Error; at run time it is the code of OpenSSL or an Error.
  const why: unknown = socket.authorizationError
  const reason = why instanceof Error ? why.message : String(why ?? 'not verified')
  return new Untrusted('tls_untrusted', reason, { expected: null, presented })
}
