/** A time in which the newest backup of a group was older than its objective. It outlives the group. */
export interface Breach {
  readonly id: number
  /** Null: the group has gone. */
  readonly group: number | null
  /** The server as it is called now; of one that has gone its last name known here. */
  readonly server: { readonly id: number; readonly name: string }
  readonly datastore_name: string
  readonly namespace: string
  readonly backup_type: string
  readonly backup_id: string
  /** How old the newest backup might be, in seconds. */
  readonly objective: number
  /** RFC 3339: when its objective ended. */
  readonly begin: string
  /** When the next backup was made, or the objective was no more; null: it goes on. */
  readonly end: string | null
}
