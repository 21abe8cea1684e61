// @peculiar/x509 builds on tsyringe, which needs this first.
import 'reflect-metadata'
import { createHash, createPrivateKey, createPublicKey, type webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** A self-signed certificate with its key, in PEM, and the fingerprint that a client can pin. */
export interface Certificate {
  readonly key: string
  readonly cert: string
  /** SHA-256 over the leaf's DER: 32 bytes in lower-case hex, joined by colons. */
  readonly fingerprint: string
}

/** PKCS #8 of an Ed25519 key is this header and the 32 bytes of the key. */
const ed25519Header = Buffer.from('302e020100300506032b657004220420', 'hex')

const importKeys = async (seed: string): Promise<{ keys: webcrypto.CryptoKeyPair; pem: string }> => {
  const der = Buffer.concat([ed25519Header, createHash('sha256').update(seed).digest()])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const algorithm = { name: 'Ed25519' }
  const keys = {
    privateKey: await crypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']),
    publicKey: await crypto.subtle.importKey('spki', new Uint8Array(spki), algorithm, true, ['verify']),
  }
  return { keys, pem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() }
}

const colonHex = (digest: string): string => digest.match(/../g)?.join(':') ?? digest

/**
 * Makes the certificate a fresh PBS installs: about a thousand years valid, no CA, `O=Proxmox Backup Server`, and
 * subject alternative names for loopback and the node's names only, so that a check by LAN address fails.
 *
 * The key is derived from `seed` and its type is Ed25519, whose signatures are deterministic: the same seed gives the
 * same fingerprint in every process. A real PBS has RSA-4096.
 */
export const createCertificate = async (nodeName: string, seed: string): Promise<Certificate> => {
  const { keys, pem } = await importKeys(seed)
  const unit = createHash('sha256').update(`unit ${seed}`).digest('hex')
  const domainName = `${nodeName}.example.net`
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    serialNumber: `01${unit.slice(0, 18)}`,
    name: `O=Proxmox Backup Server, OU=${unit.slice(0, 8)}-${unit.slice(8, 12)}-4${unit.slice(13, 16)}-8${unit.slice(17, 20)}-${unit.slice(20, 32)}, CN=${domainName}`,
    notBefore: new Date('2024-01-01T00:00:00Z'),
    notAfter: new Date('3023-05-04T00:00:00Z'),
    signingAlgorithm: { name: 'Ed25519' },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, false),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
        { type: 'dns', value: 'localhost' },
        { type: 'dns', value: nodeName },
        { type: 'dns', value: domainName },
      ]),
    ],
  })
  const digest = createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex')
  return { key: pem, cert: certificate.toString('pem'), fingerprint: colonHex(digest) }
}
