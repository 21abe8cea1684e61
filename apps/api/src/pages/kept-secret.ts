import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { Clock, Effect, Option, Redacted } from 'effect'
import type { Viewer } from './components/viewer.ts'

/** Exists only in this process, so no other process and no later start can open the sealed secrets. */
const key = randomBytes(32)
const lifetimeMillis = 15 * 60_000
const ivBytes = 12
const tagBytes = 16

/**
 * Seals a secret that was typed into a form with an error, so that it need not be typed again and
 * the page does not contain it. It opens for a quarter of an hour, in the same session and process.
 */
export const keepSecret = (secret: Redacted.Redacted<string>, viewer: Viewer): Effect.Effect<string> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const iv = randomBytes(ivBytes)
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(viewer.session))
    const text = JSON.stringify({ until: now + lifetimeMillis, secret: Redacted.value(secret) })
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')
  })

/** The secret that a form sends back sealed; none when it is not of this session and process, or too old. */
export const openKept = (kept: string, viewer: Viewer): Effect.Effect<Option.Option<Redacted.Redacted<string>>> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const bytes = Buffer.from(kept, 'base64url')
    if (bytes.length <= ivBytes + tagBytes) return Option.none()
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes))
        .setAAD(Buffer.from(viewer.session))
        .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
      const text = Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString()
      // It was sealed above.
      const { until, secret }: { readonly until: number; readonly secret: string } = JSON.parse(text)
      return now < until ? Option.some(Redacted.make(secret)) : Option.none()
    } catch {
      return Option.none()
    }
  })
