import type { JsonValue, ModelName } from '@netbox-pbs/core'
import type { ServedRow } from '@netbox-pbs/core/ports'

/** A row whose model is not known statically: the registry says what is in it. */
export type Row = Readonly<Record<string, unknown>> & {
  readonly id: number
  readonly serverName: string
  readonly tags: ReadonlyArray<JsonValue>
  readonly custom_fields: { readonly [key: string]: JsonValue }
  readonly created: string
  readonly last_updated: string
}

/** Forgets the model of a served row. */
export const anyRow = <M extends ModelName>(row: ServedRow<M>): Row => ({ ...row })
