/** How full a datastore was over one slot of {@link usageSlotSeconds}. */
export interface UsagePoint {
  /** When the slot began, RFC 3339. */
  readonly time: string
  readonly used_bytes: number
  readonly total_bytes: number
}

/** A point stands for a quarter of a day in UTC: fine enough to see a trend, coarse enough to keep for a year. */
export const usageSlotSeconds = 6 * 3600

/** The most points that a source may tell of one datastore at once: a month and more. */
export const mostUsagePoints = 200

/** Points are kept for so many days, also when their source has forgotten them: a year and a month to compare with. */
export const usageDays = 400
