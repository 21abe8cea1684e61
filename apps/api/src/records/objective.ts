import {
  backupTypes,
  fitsGlob,
  mostObjectiveHours,
  type ObjectiveRuleValues,
  objectiveFields,
  type StoredObjectiveRule,
} from '@netbox-pbs/core'
import { z } from 'zod'
import { objectivesPath } from '../rest/links.ts'
import { recordFilter, search } from '../rest/read-filter.ts'
import { text } from '../validation/read-record.ts'
import { time } from './fields.ts'

const patternOf = (what: string) => `Groups whose ${what} fits: * is any text, ? a character. Null: any.`

/** A rule about how old the newest backup of some groups may be. */
export const Objective = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  name: z.string(),
  weight: z
    .int()
    .describe('Of the rules that fit a group that with the lowest weight applies, of equal weights the older one.'),
  server: z.string().nullable().describe(patternOf('server')),
  datastore: z.string().nullable().describe(patternOf('datastore')),
  namespace: z
    .string()
    .nullable()
    .describe(`${patternOf('namespace')} Blank: the root namespace alone.`),
  backup_type: z.string().nullable().describe(patternOf('backup type')),
  backup_id: z.string().nullable().describe(patternOf('backup id')),
  tag: z.string().nullable().describe('The slug of a tag that the group must have. Null: any.'),
  hours: z.int().nullable().describe('How old the newest backup may be. Null: the groups are not watched.'),
  comment: z.string(),
  created: time,
  last_updated: time,
})

/** The filters of the list of rules. */
export const objectiveFilter = recordFilter<{ readonly search?: string }>(Objective, {
  fields: objectiveFields,
  parameters: { search: search('q') },
})

const pattern = (what: string, max = 255) =>
  text(max)
    .refine((given) => given !== '', `Blank fits nothing: leave it out or send null for any ${what}.`)
    .nullable()

const types = backupTypes.map(({ value }) => value)

const backupType = pattern('backup type', 64).refine(
  (given) => given === null || types.some((type) => fitsGlob(given, type)),
  `This fits no backup type: send one of ${types.join(', ')}, or null for any.`,
)

/** The body of a write. */
export const ObjectiveRequest = z.object({
  name: text(150).min(1),
  weight: z.int('A valid integer is required.').min(0).max(32_767),
  server: pattern('server'),
  datastore: pattern('datastore'),
  namespace: text(256).nullable(),
  backup_type: backupType,
  backup_id: pattern('backup id'),
  tag: pattern('tag', 100).refine(
    (given) => given === null || /^[-\w]+$/.test(given),
    'Enter the slug of a tag: letters, digits, hyphens and underscores. A tag is no pattern.',
  ),
  hours: z
    .int('A valid integer is required. Send null to watch the groups no more.')
    .min(1)
    .max(mostObjectiveHours)
    .nullable(),
  comment: text(1024),
})

/** How the body of a rule is read. */
export const objectiveBody = { schema: ObjectiveRequest, required: ['name', 'hours'], unbuilt: {} } as const

/** The values of a new rule that its body leaves out. */
export const objectiveDefaults: Omit<ObjectiveRuleValues, 'name' | 'hours'> = {
  weight: 1000,
  server: null,
  datastore: null,
  namespace: null,
  backup_type: null,
  backup_id: null,
  tag: null,
  comment: '',
}

/** A rule as REST answers it. */
export const servedObjective = (base: string, rule: StoredObjectiveRule): z.infer<typeof Objective> => {
  const { id, name, weight, server, datastore, namespace, backup_type, backup_id, tag, hours, comment } = rule
  const { created, last_updated } = rule
  return {
    id,
    url: `${base}${objectivesPath}${id}/`,
    display: name,
    name,
    weight,
    server,
    datastore,
    namespace,
    backup_type,
    backup_id,
    tag,
    hours,
    comment,
    created,
    last_updated,
  }
}
