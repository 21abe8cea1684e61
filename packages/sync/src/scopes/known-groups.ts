import { absenceOf, keyText, naturalKey, shortDigest } from '@netbox-pbs/core'
import type { KnownGroup, WaitingGroup } from '@netbox-pbs/core/ports'

/**
 * The groups of one scope while it is read: those of main by digest and, after a change, by key,
 * those that wait in a branch by digest, and which of them were listed. The memory of a scope holds
 * its groups, never its snapshots.
 */
export class KnownGroups {
  readonly #groups: Array<KnownGroup> = []
  readonly #byDigest = new Map<string, KnownGroup>()
  #byShortDigest: Map<string, KnownGroup> | null = null
  #byListDigest: Map<string, KnownGroup> | null = null
  readonly #waiting = new Map<string, WaitingGroup>()
  #byKey: Map<string, KnownGroup> | null = null
  readonly #listed = new Set<KnownGroup | string>()

  /** A group of main. Its digest is trusted only while main lists the group. */
  add(group: KnownGroup): void {
    this.#groups.push(group)
    if (group.digest !== null && group.presence === 'listed') this.#byDigest.set(group.digest, group)
  }

  /** The group whose last landed frame had this digest. */
  withDigest(digest: string): KnownGroup | undefined {
    return this.#byDigest.get(digest)
  }

  /** The group whose last landed frame had a digest with this beginning. */
  withShortDigest(digest: string): KnownGroup | undefined {
    this.#byShortDigest ??= new Map([...this.#byDigest].map(([whole, group]) => [shortDigest(whole), group]))
    return this.#byShortDigest.get(digest)
  }

  addWaiting(group: WaitingGroup): void {
    this.#waiting.set(group.digest, group)
  }

  /** The group that waits in a branch and was staged from a frame of this digest. */
  waitingWithDigest(digest: string): WaitingGroup | undefined {
    return this.#waiting.get(digest)
  }

  /** The group whose last landed frame had this list digest. */
  withListDigest(listDigest: string): KnownGroup | undefined {
    this.#byListDigest ??= new Map(
      this.#groups.flatMap((group) => (group.listDigest === null ? [] : [[group.listDigest, group] as const])),
    )
    return this.#byListDigest.get(listDigest)
  }

  withKey(key: string): KnownGroup | undefined {
    this.#byKey ??= new Map(this.#groups.map((group) => [keyText(naturalKey('group', group.facts)), group]))
    return this.#byKey.get(key)
  }

  /** Marks a group of main, or the key of one that main lacks, as listed; false when it was already. */
  list(group: KnownGroup | string): boolean {
    if (this.#listed.has(group)) return false
    this.#listed.add(group)
    return true
  }

  /** Groups of main that the list lacks, at most `size` at a time. */
  *unlisted(size: number): Generator<ReadonlyArray<KnownGroup>> {
    let batch: Array<KnownGroup> = []
    for (const group of this.#groups) {
      if (this.#listed.has(group)) continue
      batch.push(group)
      if (batch.length < size) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  }
}

/** Whether a group that the list of a run lacks is not given up by it. */
export const isWaiting = (group: KnownGroup, runId: number | null): boolean =>
  group.presence !== 'manual' && absenceOf(group, runId) !== 'deleted'
