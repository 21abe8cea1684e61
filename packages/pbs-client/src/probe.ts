import type { TLSSocket } from 'node:tls'
import { Effect } from 'effect'
import type { PbsConnection } from './connection.ts'
import { eventCallback } from './event-callback.ts'
import { failureOf, type PbsError } from './pbs-error.ts'
import type { PbsVersion } from './server-schemas.ts'
import { judgePeer, openSocket, type PresentedCertificate, presentedCertificate } from './verified-socket.ts'

/** The findings of a test of an endpoint. */
export interface PbsProbe {
  /** SHA-256 of the certificate that the server presents, as it would be pinned. */
  readonly presentedFingerprint: string
  readonly certificate: PresentedCertificate
  /** Whether chain and host name verify, pin or not. */
  readonly chainVerifies: boolean
  /** Null when the server was refused, or refuses. */
  readonly version: PbsVersion | null
  /** Why there is no version: the certificate (then nothing was sent), the token, or the answer. */
  readonly failure: PbsError | null
}

/** Looks at the certificate without sending anything, then asks for the version where the certificate allows it. */
export const probeServer = (
  connection: PbsConnection,
  askVersion: Effect.Effect<PbsVersion, PbsError>,
): Effect.Effect<PbsProbe, PbsError> =>
  Effect.gen(function* () {
    const peer = yield* lookAtPeer(connection)
    const answered = peer.failure === null ? yield* Effect.either(askVersion) : null
    return {
      presentedFingerprint: peer.certificate.fingerprint,
      certificate: peer.certificate,
      chainVerifies: peer.chainVerifies,
      version: answered !== null && answered._tag === 'Right' ? answered.right : null,
      failure: answered !== null && answered._tag === 'Left' ? answered.left : peer.failure,
    }
  })

interface Peer {
  readonly certificate: PresentedCertificate
  readonly chainVerifies: boolean
  readonly failure: PbsError | null
}

const endpoint = '/version'

const lookAtPeer = (connection: PbsConnection) =>
  Effect.async<Peer, PbsError>((resume, signal) => {
    const die = (defect: unknown) => resume(Effect.die(defect))
    openSocket(
      connection,
      signal,
      eventCallback(die, (error: Error | null, socket: TLSSocket | null) => {
        if (socket === null) return resume(Effect.fail(failureOf(connection, endpoint, error)))
        const certificate = presentedCertificate(socket)
        const rejected = judgePeer(connection, socket, certificate)
        const chainVerifies = socket.authorized
        socket.on('error', () => {}).destroy()
        if (certificate === null) {
          return resume(Effect.fail(failureOf(connection, endpoint, new Error('the server presents no certificate'))))
        }
        const failure = rejected === null ? null : failureOf(connection, endpoint, rejected)
        resume(Effect.succeed({ certificate, chainVerifies, failure }))
      }),
    )
  })
