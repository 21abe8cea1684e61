/** The releases the simulator can play; each behaves as the documented differences of that release say. */
export const profiles = ['2.4', '3.1', '3.2', '3.3', '3.4', '4.0', '4.1', '4.2'] as const

/** A release line of Proxmox Backup Server. */
export type Profile = (typeof profiles)[number]

const patchLevels: Record<Profile, string> = {
  '2.4': '7',
  '3.1': '5',
  '3.2': '4',
  '3.3': '7',
  '3.4': '8',
  '4.0': '18',
  '4.1': '4',
  '4.2': '3',
}

/** The patch level that `/version` reports as `release`, a string. */
export const patchLevelOf = (profile: Profile): string => patchLevels[profile]

/**
 * Whether a server is at least the given release.
 *
 * `minimum` is `major.minor` or `major.minor.patch`; parts are compared as numbers, so `3.10` is newer than `3.9`.
 */
export const atLeast = (server: { readonly version: string; readonly release: string }, minimum: string): boolean => {
  const have = `${server.version}.${server.release}`.split('.').map(Number)
  const want = minimum.split('.').map(Number)
  for (const [index, requested] of want.entries()) {
    const own = have[index] ?? 0
    if (own !== requested) return own > requested
  }
  return true
}
