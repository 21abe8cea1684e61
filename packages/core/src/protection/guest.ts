/** A group as other records name it. */
export interface NamedGroup {
  readonly id: number
  readonly server: { readonly id: number; readonly name: string }
  readonly datastore_name: string
  readonly namespace: string
}

/** A guest as lists have it. Of a user who sees some servers only, with what is on these. */
export interface Guest {
  readonly id: number
  readonly backup_type: string
  readonly backup_id: string
  /** The group that has the backups first; null: it is on a server that the user does not see. */
  readonly origin: NamedGroup | null
  readonly comment: string
  readonly snapshot_count: number
  /** The newest finished backup of the origin; null: none, or not seen. */
  readonly last_backup: string | null
  /** How the origin is protected; `unknown` where it is not seen. */
  readonly protection: string
  readonly protection_since: string | null
  readonly fresh_until: string | null
  readonly copies: number
  /** Servers with the origin or a copy. */
  readonly servers: number
  /** Groups of the guest, the origin included, on datastores with the tag `offsite`, or `offline`. */
  readonly offsite_copies: number
  readonly offline_copies: number
  readonly lagging_copies: number
  /** The most points that a copy is behind. */
  readonly points_behind: number
  readonly lag_since: string | null
  readonly created: string
}

/** A group of a guest. */
export interface GuestMember extends NamedGroup {
  /** The group that it is copied from; null: it is the origin, or comes from a server that the user does not see. */
  readonly copy_of: number | null
  readonly is_origin: boolean
  /** The sync job that copies it; null: none is known, or not seen. */
  readonly job: { readonly id: number; readonly name: string } | null
  readonly offsite: boolean
  readonly offline: boolean
  readonly snapshot_count: number
  readonly last_backup: string | null
  readonly points_behind: number
  readonly lag_since: string | null
}

/** Another snapshot of the same backup: type, id and time. */
export interface SnapshotCopy extends NamedGroup {
  readonly verification_state: string
  readonly size_bytes: number | null
}

/** What a sync job has copied, as far as its copies are known. */
export interface CopyLedger {
  /** The id of the job. */
  readonly job: number
  readonly server: { readonly id: number; readonly name: string }
  readonly name: string
  readonly copies: number
  readonly lagging_copies: number
  /** Points that its copies are behind their sources, together. */
  readonly points_behind: number
  /** The time of the oldest of these points. */
  readonly lag_since: string | null
  /** The start of its newest run that ended well; null: none is known. */
  readonly last_good_run: string | null
  /**
   * Copies that lack points which were there, and finished, before its newest good run began, by lists that were read after the
   * run: it ended well and did not copy them. Null: it leaves out backups on purpose, so that this is not known.
   */
  readonly silent_copies: number | null
  /** The time of the oldest of these points. */
  readonly silent_since: string | null
}
