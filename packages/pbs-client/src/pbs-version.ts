/** A release in numbers, comparable. */
export interface PbsRelease {
  readonly major: number
  readonly minor: number
  readonly patch: number
}

/** The abilities of a release that an inventory needs. */
export interface PbsCapabilities {
  /** Namespaces and maintenance modes (2.2). */
  readonly namespaces: boolean
  /** Prune jobs of their own (2.3; the API came with 2.2.2). */
  readonly pruneJobs: boolean
  /** `/admin/gc` and the job state in `/admin/datastore/{store}/gc` (3.2). */
  readonly adminGc: boolean
  /** The query parameter `sync-direction` and push jobs (3.3). */
  readonly syncDirection: boolean
  /** `mount-status` and removable datastores (3.3). */
  readonly mountStatus: boolean
  /** S3 datastores (4.0). */
  readonly s3: boolean
  /** `backend-type` in lists, and `/nodes/localhost/identity` (4.2). */
  readonly backendType: boolean
}

/** Reads `version` ("4.2") and `release` ("3") of `/version`; null when `version` is not two numbers. */
export const parseRelease = (version: string, release: string | null = null): PbsRelease | null => {
  const match = /^(\d+)\.(\d+)(?:[.-](\d+))?/.exec(version)
  if (match === null) return null
  const patch = /^\d+/.exec(release ?? '')?.[0] ?? match[3] ?? '0'
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(patch) }
}

/** Negative, zero or positive, as `sort` expects it. */
export const compareReleases = (a: PbsRelease, b: PbsRelease): number =>
  a.major - b.major || a.minor - b.minor || a.patch - b.patch

/** The abilities of a release; an unreadable version counts as the newest, since every use has a fallback. */
export const capabilitiesOf = (release: PbsRelease | null): PbsCapabilities => {
  const since = (major: number, minor: number, patch = 0) =>
    release === null || compareReleases(release, { major, minor, patch }) >= 0
  return {
    namespaces: since(2, 2),
    pruneJobs: since(2, 2, 2),
    adminGc: since(3, 2),
    syncDirection: since(3, 3),
    mountStatus: since(3, 3),
    s3: since(4, 0),
    backendType: since(4, 2),
  }
}
