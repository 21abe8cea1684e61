import {
  backupTypes,
  type Guest as CoreGuest,
  type CopyLedger as CoreLedger,
  type GuestMember as CoreMember,
  type SnapshotCopy as CoreSnapshotCopy,
  guestFields,
  type NamedGroup,
  protectionStates,
} from '@netbox-pbs/core'
import { z } from 'zod'
import { guestsPath, rowUrl } from '../rest/links.ts'
import { recordFilter, search } from '../rest/read-filter.ts'
import { choiceOf, reference, time } from './fields.ts'

const where = { server: reference, datastore_name: z.string(), namespace: z.string() }

/** A guest: a machine whose backups one group has first, and others may have copies of. */
export const Guest = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  backup_type: choiceOf(backupTypes.map(({ value }) => value)),
  backup_id: z.string(),
  origin: reference
    .extend(where)
    .nullable()
    .describe('The group that has the backups first. Null: it is on a server that you may not see.'),
  server: reference.nullable().describe('The server of the origin.'),
  datastore_name: z.string().nullable(),
  namespace: z.string().nullable(),
  comment: z.string(),
  snapshot_count: z.int().describe('Snapshots of the origin.'),
  last_backup: time.nullable().describe('The newest finished backup of the origin.'),
  protection: choiceOf(protectionStates.map(({ value }) => value)).describe('How the origin is protected.'),
  protection_since: time.nullable(),
  fresh_until: time.nullable(),
  copies: z.int().describe('Groups that are copies of the origin, or of another copy.'),
  servers: z.int().describe('Servers with the origin or a copy.'),
  offsite_copies: z
    .int()
    .describe('Of the origin and the copies, those on datastores with a tag of the slug `offsite`.'),
  offline_copies: z.int().describe('The same with the slug `offline`.'),
  lagging_copies: z.int().describe('Copies that lack a point of the origin which is newer than their newest.'),
  points_behind: z.int().describe('The most points that a copy lacks so.'),
  lag_since: time.nullable().describe('The time of the oldest point that a copy lacks so.'),
  created: time,
})

/** A group of a guest. */
export const GuestGroup = reference.extend({
  ...where,
  is_origin: z.boolean(),
  copy_of: z.int().nullable().describe('The id of the group that it is copied from.'),
  job: reference.nullable().describe('The sync job that copies it. Null: none is known.'),
  offsite: z.boolean(),
  offline: z.boolean(),
  snapshot_count: z.int(),
  last_backup: time.nullable(),
  points_behind: z.int(),
  lag_since: time.nullable(),
})

/** A guest with its groups, the origin first. */
export const GuestWithGroups = Guest.extend({ groups: z.array(GuestGroup) })

/** Another place of the backup of a snapshot. */
export const SnapshotCopy = reference.extend({
  ...where,
  verification_state: z.string(),
  size_bytes: z.int().nullable(),
})

/** What a sync job has copied. */
export const CopyLedger = z.object({
  job: reference,
  server: reference,
  copies: z.int().describe('Groups that are known to be copied by the job.'),
  lagging_copies: z.int(),
  points_behind: z.int().describe('Points that its copies lack of their sources, together.'),
  lag_since: time.nullable(),
  last_good_run: time.nullable().describe('The start of the newest run that ended OK. Null: no task of it is known.'),
  silent_copies: z
    .int()
    .nullable()
    .describe(
      'Copies that lack points although these were there before that run began, as a list of the copies read after it says. Null: the job leaves out backups on purpose.',
    ),
  silent_since: time.nullable().describe('The time of the oldest of these points.'),
})

/** The filters of the list of guests. */
export const guestFilter = recordFilter<{ readonly search?: string }>(Guest, {
  fields: guestFields,
  parameters: { search: search('q') },
})

const serverOf = (base: string, { server }: Pick<NamedGroup, 'server'>) => ({
  id: server.id,
  url: rowUrl(base, 'server', server.id),
  display: server.name,
})

const nameOf = ({ backup_type, backup_id }: Pick<CoreGuest, 'backup_type' | 'backup_id'>) =>
  `${backup_type}/${backup_id}`

/** A guest in REST form. */
export const servedGuest = (base: string, guest: CoreGuest): z.infer<typeof Guest> => {
  const { id, backup_type, backup_id, origin, comment, snapshot_count, last_backup, protection } = guest
  const server = origin === null ? null : serverOf(base, origin)
  const [datastore_name, namespace] = [origin?.datastore_name ?? null, origin?.namespace ?? null]
  return {
    id,
    url: `${base}${guestsPath}${id}/`,
    display: nameOf(guest),
    backup_type: typeChoice(backup_type),
    backup_id,
    origin:
      origin === null || server === null
        ? null
        : {
            id: origin.id,
            url: rowUrl(base, 'group', origin.id),
            display: nameOf(guest),
            server,
            datastore_name: origin.datastore_name,
            namespace: origin.namespace,
          },
    server,
    datastore_name,
    namespace,
    comment,
    snapshot_count,
    last_backup,
    protection: protectionChoice(protection),
    protection_since: guest.protection_since,
    fresh_until: guest.fresh_until,
    copies: guest.copies,
    servers: guest.servers,
    offsite_copies: guest.offsite_copies,
    offline_copies: guest.offline_copies,
    lagging_copies: guest.lagging_copies,
    points_behind: guest.points_behind,
    lag_since: guest.lag_since,
    created: guest.created,
  }
}

const typeChoice = (value: string): z.infer<typeof Guest>['backup_type'] => {
  const found = backupTypes.find((type) => type.value === value)
  return { value: found?.value ?? 'unknown', label: found?.label ?? 'Unknown' }
}

const protectionChoice = (value: string): z.infer<typeof Guest>['protection'] => {
  const found = protectionStates.find((state) => state.value === value)
  return { value: found?.value ?? 'unknown', label: found?.label ?? 'Unknown' }
}

/** The same with its groups. */
export const servedGuestWithGroups = (
  base: string,
  guest: CoreGuest,
  members: ReadonlyArray<CoreMember>,
): z.infer<typeof GuestWithGroups> => ({
  ...servedGuest(base, guest),
  groups: members.map(({ id, job, server, ...facts }) => ({
    ...facts,
    id,
    url: rowUrl(base, 'group', id),
    display: nameOf(guest),
    server: serverOf(base, { server }),
    job: job === null ? null : { id: job.id, url: rowUrl(base, 'job', job.id), display: job.name },
  })),
})

/** Another place of a snapshot in REST form. */
export const servedSnapshotCopy = (
  base: string,
  { id, server, ...facts }: CoreSnapshotCopy,
): z.infer<typeof SnapshotCopy> => ({
  ...facts,
  id,
  url: rowUrl(base, 'snapshot', id),
  display: [server.name, facts.datastore_name, facts.namespace].filter((part) => part !== '').join('/'),
  server: serverOf(base, { server }),
})

/** What a sync job has copied, in REST form. */
export const servedLedger = (
  base: string,
  { job, server, name, ...counts }: CoreLedger,
): z.infer<typeof CopyLedger> => ({
  job: { id: job, url: rowUrl(base, 'job', job), display: name },
  server: serverOf(base, { server }),
  ...counts,
})
