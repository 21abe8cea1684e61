/** What the embedded database is meant for. */
const embeddedSnapshots = 200_000

/** A hint for an embedded database of this many snapshots; null: it is fine. */
export const adviceFor = (snapshots: number): string | null =>
  snapshots > embeddedSnapshots
    ? `the embedded database holds ${snapshots} snapshots and is meant for up to ${embeddedSnapshots}: set DATABASE_URL to a PostgreSQL to stay fast`
    : null
