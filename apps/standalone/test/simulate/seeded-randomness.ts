import { createRequire, syncBuiltinESMExports } from 'node:module'
import type { Random } from '@netbox-pbs/pbs-simulator'

const crypto = createRequire(import.meta.url)('node:crypto') as Record<string, unknown> // border: the module's own object

/** Makes all randomness of this process follow from a seed, that of the embedded database included. Returns what ends it. */
export function seedRandomness(random: Random): () => void {
  const bytes = (length: number) => Buffer.from(Uint8Array.from({ length }, () => random.upTo(256)))
  const uuid = () => {
    const hex = random.hex(32)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }
  const fill = (view: ArrayBufferView) => {
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(bytes(view.byteLength))
    return view
  }
  const { randomUUID, randomBytes, randomFillSync } = crypto
  const realRandom = Math.random
  // The engine fills its own /dev/urandom with `randomFillSync`.
  Object.assign(crypto, { randomUUID: uuid, randomBytes: bytes, randomFillSync: fill })
  syncBuiltinESMExports()
  Math.random = () => random.upTo(2 ** 32) / 2 ** 32
  for (const [name, value] of Object.entries({ getRandomValues: fill, randomUUID: uuid }))
    Object.defineProperty(globalThis.crypto, name, { value, configurable: true, writable: true })
  return () => {
    Object.assign(crypto, { randomUUID, randomBytes, randomFillSync })
    syncBuiltinESMExports()
    Math.random = realRandom
    Reflect.deleteProperty(globalThis.crypto, 'getRandomValues')
    Reflect.deleteProperty(globalThis.crypto, 'randomUUID')
  }
}
