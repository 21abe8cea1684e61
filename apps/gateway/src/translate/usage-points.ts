import { mostUsagePoints, type UsagePoint, usageSlotSeconds } from '@netbox-pbs/core'
import { datetimeOf } from './datetime.ts'

/** What is read of a row of `/status/datastore-usage`: shares 0 to 1 in even steps, null where nothing was measured. */
export interface UsageHistory {
  readonly total?: number | null | undefined
  readonly history?: ReadonlyArray<number | null> | null | undefined
  readonly 'history-start'?: number | null | undefined
  readonly 'history-delta'?: number | null | undefined
}

/** A mean, as it grows. */
interface Mean {
  readonly sum: number
  readonly count: number
}

/**
 * The month that PBS keeps of a datastore, as one point a slot, oldest first. Only slots that the history covers whole are told, so that a slot reads the
 * same in every run; its last step is still being measured. PBS tells shares, so bytes are shares of what the datastore holds now.
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

const isPositive = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined && value > 0
