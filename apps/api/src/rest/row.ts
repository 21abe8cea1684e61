import type { ModelName, Row } from '@netbox-pbs/core'
import type { ServedRow } from '@netbox-pbs/core/ports'

// The form of a row is core's, because webhooks send rows too.
export { choice, display, type Row } from '@netbox-pbs/core'

/** Forgets the model of a served row. */
export const anyRow = <M extends ModelName>(row: ServedRow<M>): Row => row as unknown as Row // border: no index signature fits a row of a known model

/**
 * The id in a path or a form. A text that is no id, or beyond 2^53, becomes 0, which no row has, so
 * that the answer is a 404.
 */
export function rowId(text: string | undefined): number {
  const id = text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
  return Number.isSafeInteger(id) ? id : 0
}
