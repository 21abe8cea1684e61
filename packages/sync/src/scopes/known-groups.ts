import { naturalKey } from '@netbox-pbs/core'
import type { KnownGroup } from '@netbox-pbs/core/ports'

/**
 * The groups of one scope while it is read: those of main, by key and by digest, and which of either side were seen.
 * This is what a scope costs in memory: its groups, never its snapshots.
 */
export class KnownGroups {
  readonly #byKey = new Map<string, KnownGroup>()
  readonly #byDigest = new Map<string, KnownGroup>()
  readonly #seen = new Set<string>()

  /** A group of main. Its digest is trusted only while main lists the group. */
  add(group: KnownGroup): void {
    this.#byKey.set(keyOf(group), group)
    if (group.digest !== null && group.presence === 'listed') this.#byDigest.set(group.digest, group)
  }

  /** The group whose last landed frame had this digest. */
  withDigest(digest: string): KnownGroup | undefined {
    return this.#byDigest.get(digest)
  }

  withKey(key: string): KnownGroup | undefined {
    return this.#byKey.get(key)
  }

  /** Marks a key as listed; false when it was already. */
  see(key: string): boolean {
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    return true
  }

  /** Groups of main that the list lacks. */
  *unseen(): Generator<KnownGroup> {
    for (const [key, group] of this.#byKey) if (!this.#seen.has(key)) yield group
  }
}

/** The natural key of a group of main. */
export const keyOf = (group: KnownGroup): string => naturalKey('group', group.facts)
