import { backupTypes, choiceFor, jobTypes } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import type { Row } from '../../rest/row.ts'
import { Badge } from '../components/badge.tsx'
import { Time } from '../components/time.tsx'

const shortWords: Readonly<Record<string, string>> = { vm: 'VM', ct: 'CT', gc: 'GC' }

const shortBadge = (choices: typeof backupTypes, stored: unknown): Child => {
  const { value, label, color } = choiceFor(choices, String(stored))
  const word = shortWords[value]
  return word === undefined ? undefined : <Badge color={color} label={word} title={label} />
}

/** The type of a backup in a list, where space is short: `VM`, `CT`. */
export const backupType = ({ backup_type }: Row): Child | undefined => shortBadge(backupTypes, backup_type)

/** The type of a job in a list. */
export const jobType = ({ job_type }: Row): Child | undefined => shortBadge(jobTypes, job_type)

const colors: Readonly<Record<string, string>> = { ok: 'green', failed: 'red' }

/** Why the state of a verification does not apply to this copy. */
const doubts: Readonly<Record<string, string>> = {
  elsewhere: 'made on another datastore and copied with the snapshot; this copy was not verified',
  unknown: 'it is unknown whether this copy was verified, or another one',
}

/** Only a verification that was made here is good or bad. */
export const verification = (state: unknown, place: unknown): Child | undefined => {
  if (typeof state !== 'string') return undefined
  if (state === '') return <span class="text-secondary text-nowrap">not yet</span>
  if (place === 'here') return <Badge color={colors[state] ?? 'secondary'} label={state} />
  return <Badge color="secondary" label={`${state}, ${String(place)}`} title={doubts[String(place)]} />
}

/** A time of a row with its date, since it names the row; null without one. */
export const dated = (time: unknown): Child | undefined =>
  typeof time === 'string' ? <Time time={time} form="dated" /> : undefined

/** Shared by the models below a server. */
export const placeFields = {
  server: { kind: 'name' },
  datastore_name: { head: 'Datastore', kind: 'name' },
  namespace: { head: 'Namespace', kind: 'name' },
} as const

/** Shared by the models of backups. */
export const backupFields = {
  ...placeFields,
  backup_type: { head: 'Type', title: 'Backup type', short: backupType },
  backup_id: { head: 'Id', title: 'Backup id', kind: 'name' },
  comment: { kind: 'text' },
  owner: { kind: 'name' },
  last_seen_at: { head: 'Seen', title: 'Last seen' },
} as const
