import { mostUsagePoints, type UsagePoint, usageSlotSeconds } from '@netbox-pbs/core'
import type { PbsDatastoreUsage } from '@netbox-pbs/pbs-client'
import { datetimeOf } from './facts.ts'

/** The history in a row of `/status/datastore-usage`: shares 0 to 1 in even steps, null where PBS measured nothing. */
export type UsageHistory = Pick<PbsDatastoreUsage, 'total' | 'history-start' | 'history-delta'> & {
  readonly history: ReadonlyArray<number | null> | null
}

/** A running mean. */
interface Mean {
  readonly sum: number
  readonly count: number
}

/**
 * The month of usage that PBS keeps of a datastore, as one point for each slot, oldest first. Only
 * slots that the history covers whole count, so that a slot reads the same in every run; the last
 * step is still being measured. PBS stores shares, so bytes are shares of the present total.
 */
export function usagePoints({
  total,
  history,
  'history-start': start,
  'history-delta': step,
}: UsageHistory): ReadonlyArray<UsagePoint> {
  if (!isPositive(total) || !isPositive(start) || !isPositive(step) || step > usageSlotSeconds) return []
  const shares = (history ?? []).slice(0, -1)
  const end = start + shares.length * step
  const slots = new Map<number, Mean>()
  for (const [i, share] of shares.entries()) {
    const slot = Math.floor((start + i * step) / usageSlotSeconds) * usageSlotSeconds
    if (slot < start || slot + usageSlotSeconds > end) continue
    if (share === null || !(share >= 0 && share <= 1)) continue
    const { sum, count } = slots.get(slot) ?? { sum: 0, count: 0 }
    slots.set(slot, { sum: sum + share, count: count + 1 })
  }
  return [...slots].slice(-mostUsagePoints).flatMap(([slot, { sum, count }]) => {
    const time = datetimeOf(slot)
    return time === null ? [] : [{ time, used_bytes: Math.round((sum / count) * total), total_bytes: total }]
  })
}

const isPositive = (value: number | null): value is number => value !== null && value > 0
