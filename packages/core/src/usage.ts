/** How full a datastore was over one slot of {@link usageSlotSeconds}. */
export interface UsagePoint {
  /** When the slot began, RFC 3339. */
  readonly time: string
  readonly used_bytes: number
  readonly total_bytes: number
}

/** The fields of a datastore's size, which a source reports together or not at all. */
export const sizeFields = ['used_bytes', 'total_bytes', 'avail_bytes', 'estimated_full_at'] as const

/** A point covers a quarter of a day in UTC: fine enough to see a trend, coarse enough to keep for a year. */
export const usageSlotSeconds = 6 * 3600

/** The most points that a source may send for one datastore at once: more than a month. */
export const mostUsagePoints = 200

/** Days that points are kept, even when their source no longer has them: a year and a month, to compare with. */
export const usageDays = 400
