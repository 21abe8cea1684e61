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
export const anyRow = <M extends ModelName>(row: ServedRow<M>): Row => row as unknown as Row // border: no index signature fits a row of a known model

/**
 * The id that a path or a form names. What is no id, and what lies beyond a number (2^53), is 0,
 * which no row has, so that it is answered as a row that is not there.
 */
export function rowId(text: string | undefined): number {
  const id = text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
  return Number.isSafeInteger(id) ? id : 0
}

/** What a row is called, in REST's `display` and on pages. Types and times are written as PBS writes them. */
export function display(model: ModelName, row: Row): string {
  switch (model) {
    case 'server':
      return `${row['name']}`
    case 'datastore':
      return `${row['name']} (${row.serverName})`
    case 'namespace':
      return `${row['datastore_name']}/${row['path'] === '' ? '(root)' : row['path']}`
    case 'group':
      return `${row['backup_type']}/${row['backup_id']}`
    case 'snapshot':
      return `${row['backup_type']}/${row['backup_id']}/${String(row['backup_time']).replace(/\.\d+Z$/, 'Z')}`
    case 'job':
      return `${row['job_type']}/${row['job_id']}`
    case 'task':
      return `${row['worker_type']} ${row['worker_id']}`.trim()
  }
}

/** A word as NetBox serves a choice: the value, and its label for people. */
export const choice = <A extends string>(value: A): { readonly value: A; readonly label: string } => ({
  value,
  label: `${value.charAt(0).toUpperCase()}${value.slice(1).replaceAll('_', ' ')}`,
})
