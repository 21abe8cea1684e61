/** No run is caught up later than this after the schedule is looked at again. */
const longest = 5 * 60_000

/** Nor later than this share of its interval. */
const share = 0.1

/**
 * How long a run that was missed is put off, in milliseconds: the same for the same name, and spread evenly over names, so that servers whose runs were missed together
 * do not all begin at once. `interval` is the time between two of its runs.
 */
export function catchUpDelay(name: string, interval: number): number {
  return Math.floor(fraction(name) * Math.min(longest, share * interval))
}

/** A number from 0 to below 1 that a text always gives: its FNV-1a hash, mixed once more as names often differ in their last letter only. */
function fraction(text: string): number {
  let hash = 0x811c9dc5
  for (let n = 0; n < text.length; n += 1) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
