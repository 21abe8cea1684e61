/** What operators note of a client's key. */
export interface EncryptionKeyNotes {
  /** Who holds it. */
  readonly holder: string
  /** Where it is kept. */
  readonly location: string
  /** When an operator last made sure that it is there and opens something; RFC 3339. Null: never. */
  readonly checked_at: string | null
  readonly comment: string
}

/** The key of a client, by its fingerprint, and what it opens of the servers that are seen. */
export interface EncryptionKey extends EncryptionKeyNotes {
  readonly id: number
  /** As PBS tells it: hexadecimal with colons. The key itself is known to its client alone. */
  readonly fingerprint: string
  /** Finished snapshots that it encrypted. */
  readonly snapshot_count: number
  /** Groups with such a snapshot. */
  readonly group_count: number
  /** Groups of which no finished snapshot can be read without it. */
  readonly only_group_count: number
  /** When we saw it first. */
  readonly first_seen: string
  /** The time of the newest snapshot that names it, also of one that it only signed; null: there is none. */
  readonly last_seen: string | null
  readonly last_updated: string
}
