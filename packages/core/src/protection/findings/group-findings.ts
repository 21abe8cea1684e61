import { type DatastoreFacts, datastoreTrouble } from './datastore-findings.ts'
import {
  clear,
  type FindingKind,
  type FindingSubject,
  findingKey,
  found,
  type Judged,
  type Severity,
  unknown,
} from './finding.ts'
import { at, counted } from './words.ts'

/** The states of groups that are findings. */
export const badGroupStates = ['missing', 'at_risk', 'late'] as const

/** A state of a group that is a finding. */
export type BadGroupState = (typeof badGroupStates)[number]

/** A group that is not well, or has a finding. Times are seconds since 1970. */
export interface GroupFacts {
  readonly id: number
  readonly datastore: DatastoreFacts
  readonly namespace: string
  readonly type: string
  readonly backupId: string
  /** Its protection: a bad state, `unknown`, or another one. */
  readonly state: string
  readonly since: number | null
  /** Its newest finished backup; null: it has none. */
  readonly lastBackup: number | null
  /** How old the newest backup may be, in seconds; null: it is not watched. */
  readonly objective: number | null
  /** How many groups of the datastore are in this state. */
  readonly siblings: number
}

/** How many groups of a datastore are in a state that is bad or not known, and since when the first. */
export interface GroupCounts {
  readonly datastore: number
  readonly state: string
  readonly groups: number
  readonly since: number | null
}

/** So many groups of one datastore in one state are one finding. */
export const foldedGroups = 10

const kinds = {
  missing: { one: 'guest_missing', many: 'guests_missing', severity: 'critical' },
  at_risk: { one: 'guest_at_risk', many: 'guests_at_risk', severity: 'critical' },
  late: { one: 'guest_late', many: 'guests_late', severity: 'warning' },
} as const satisfies Readonly<
  Record<BadGroupState, { readonly one: FindingKind; readonly many: FindingKind; readonly severity: Severity }>
>

/** Judges a group by its protection. One of ten or more in its state is part of the finding of their datastore. */
export function judgeGroup(group: GroupFacts): ReadonlyArray<Judged> {
  const under = datastoreTrouble(group.datastore)
  return badGroupStates.map((state) => {
    const { one, many, severity } = kinds[state]
    const subject = subjectOf(one, group)
    if (under !== null || group.state === 'unknown') return unknown(subject, under)
    if (group.state !== state) return clear(subject, cleared(group))
    if (group.siblings >= foldedGroups) {
      return unknown(subject, findingKey({ kind: many, objectId: group.datastore.id }))
    }
    return found({ subject, severity, since: group.since, ...texts[state](group, subject.title) })
  })
}

const subjectOf = (kind: FindingKind, { id, datastore, namespace, type, backupId }: GroupFacts): FindingSubject => ({
  kind,
  model: 'group',
  objectId: id,
  title: `${type}/${backupId} in ${[datastore.name, namespace].filter((part) => part !== '').join('/')} on ${datastore.server.name}`,
  server: { id: datastore.server.id, name: datastore.server.name },
})

const cleared = ({ state, lastBackup }: GroupFacts): string =>
  `Its newest backup is${lastBackup === null ? ' none' : ` of${at(lastBackup).slice(3)}`}, so that it is ${state.replaceAll('_', ' ')}.`

const texts: Readonly<
  Record<BadGroupState, (group: GroupFacts, title: string) => { readonly sentence: string; readonly step: string }>
> = {
  missing: (_, title) => ({
    sentence: `${title} has no backup`,
    step: 'Back it up, or set an objective that does not watch it.',
  }),
  at_risk: (_, title) => ({
    sentence: `${title} has no newest backup that is sound: it failed its verification, or is unfinished`,
    step: 'Back it up again, verify the backup, and restore one of the older ones for a trial.',
  }),
  late: ({ objective, lastBackup }, title) => ({
    sentence: `${title} has no new backup${objective === null ? '' : ` within ${counted(Math.round(objective / 3600), 'hour')}`}${lastBackup === null ? '' : `, the last is of${at(lastBackup).slice(3)}`}`,
    step: 'Look at the last backup task of the guest and at the schedule of its backup job.',
  }),
}

/** Judges a datastore by the number of its groups that are in each bad state. */
export function judgeGroupCounts(datastore: DatastoreFacts, counts: ReadonlyArray<GroupCounts>): ReadonlyArray<Judged> {
  const of = (state: string) => counts.find((one) => one.datastore === datastore.id && one.state === state)
  const under = datastoreTrouble(datastore)
  return badGroupStates.map((state) => {
    const { many, severity } = kinds[state]
    const subject: FindingSubject = {
      ...{
        kind: many,
        model: 'datastore',
        objectId: datastore.id,
        title: `${datastore.name} on ${datastore.server.name}`,
      },
      server: { id: datastore.server.id, name: datastore.server.name },
    }
    if (under !== null) return unknown(subject, under)
    const { groups = 0, since = null } = of(state) ?? {}
    if (groups >= foldedGroups) {
      const word = state.replaceAll('_', ' ')
      return found({
        ...{ subject, severity, since, count: groups },
        sentence: `${counted(groups, 'guest')} of ${subject.title} are ${word}`,
        step: 'Look for what they have in common: the network, the storage, or the backup job.',
      })
    }
    // Those of which nothing is known now may be in it still.
    if (groups + (of('unknown')?.groups ?? 0) >= foldedGroups) return unknown(subject)
    return clear(subject, `Fewer than ten of its guests are ${state.replaceAll('_', ' ')}.`)
  })
}
