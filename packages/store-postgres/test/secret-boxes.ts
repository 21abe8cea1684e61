import type { SecretBox } from '@netbox-pbs/core/ports'
import { Layer, Redacted } from 'effect'
import { secretBoxLayer } from '../src/secret-box/secret-box.ts'

/** A box whose key is 32 bytes of `fill`. */
export const boxWith = (fill: number): Layer.Layer<SecretBox> =>
  Layer.orDie(
    secretBoxLayer({ key: Redacted.make(Buffer.alloc(32, fill).toString('base64')), keyName: 'NETBOX_PBS_SECRET_KEY' }),
  )
