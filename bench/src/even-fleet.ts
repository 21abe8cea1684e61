import { emptyGroup, emptyNamespace, emptyState, emptyStore, type PbsState } from '@netbox-pbs/pbs-simulator'

const day = 86_400
const perGroup = 20

/**
 * A server with groups of 20 daily snapshots in two datastores. All of it is finished, so that nothing but a change must
 * be read again; no task is from after `now`.
 *
 * @param now - Epoch seconds.
 * @param perNamespace - Snapshots of a namespace.
 */
export function evenFleet(snapshots: number, now: number, perNamespace = 10_000): PbsState {
  const state = emptyState({ name: 'pbs-a', now })
  const groupsOfNamespace = Math.ceil(perNamespace / perGroup)
  const groups = Math.ceil(snapshots / perGroup)
  const namespaces = Array.from({ length: Math.max(2, Math.ceil(groups / groupsOfNamespace)) }, (_, nth) => ({
    ...emptyNamespace(nth < 2 ? '' : `ns-${nth}`),
    groups: Array.from(
      { length: Math.min(groupsOfNamespace, Math.max(0, groups - nth * groupsOfNamespace)) },
      (__, index) =>
        emptyGroup('vm', `${100 + nth * groupsOfNamespace + index}`, {
          series: {
            seed: nth * groupsOfNamespace + index,
            base: now - perGroup * day,
            step: day,
            from: 0,
            to: perGroup,
            disks: [8 * 1024 ** 3],
            crypt: 'none',
            fingerprint: null,
            notes: 'web01',
            verifyRuns: null,
          },
        }),
    ),
  }))
  const of = (rest: number) => namespaces.filter((_, nth) => nth % 2 === rest)
  state.datastores.push(emptyStore('tank', { namespaces: of(0) }), emptyStore('lake', { namespaces: of(1) }))
  return state
}

/** A new snapshot in every `nth` group. */
export function growEvery(state: PbsState, nth: number): void {
  let group = 0
  for (const { namespaces } of state.datastores)
    for (const { groups } of namespaces)
      for (const { series } of groups) if (series !== null && group++ % nth === 0) series.to += 1
}
