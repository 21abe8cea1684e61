import type { ChangeAction } from '../change-log.ts'
import type { ModelName } from '../registry/field.ts'
import { modelNames, registry } from '../registry/registry.ts'

/** The object type of runs. */
export const runType = 'netbox_pbs.syncrun'

/** The object type of branches, as NetBox's branching names it. */
export const branchType = 'netbox_branching.branch'

/** The object type of held deletions. */
export const heldType = 'netbox_pbs.helddeletions'

/** The object type of findings. */
export const findingType = 'netbox_pbs.finding'

/** The models whose changes are events. Tasks are history, which the change log does not have. */
const eventModels: ReadonlyArray<ModelName> = modelNames.filter((model) => model !== 'task')

const rowTypes: ReadonlyArray<string> = eventModels.map((model) => registry[model].objectType)

/** An event type: its label, the word for it in a payload, and the object types that have such events. */
interface EventTypeRule {
  readonly label: string
  readonly word: string
  readonly objectTypes: ReadonlyArray<string>
}

/**
 * The event types that rules may have, NetBox's and ours. A run ends with exactly one event:
 * `job_failed` says that it did not read everything, for whatever reason.
 */
export const eventTypeRules = {
  object_created: { label: 'Object created', word: 'created', objectTypes: rowTypes },
  object_updated: { label: 'Object updated', word: 'updated', objectTypes: rowTypes },
  object_deleted: { label: 'Object deleted', word: 'deleted', objectTypes: rowTypes },
  job_completed: { label: 'Job completed', word: 'job_ended', objectTypes: [runType] },
  job_failed: { label: 'Job failed', word: 'job_ended', objectTypes: [runType] },
  branch_ready: { label: 'Branch ready', word: 'branch_ready', objectTypes: [branchType] },
  deletions_held: { label: 'Deletions held', word: 'deletions_held', objectTypes: [heldType] },
  finding_opened: { label: 'Finding opened', word: 'finding_opened', objectTypes: [findingType] },
  finding_closed: { label: 'Finding closed', word: 'finding_closed', objectTypes: [findingType] },
} as const satisfies Readonly<Record<string, EventTypeRule>>

/** The type of an event. */
export type EventType = keyof typeof eventTypeRules

/** The types of events. */
export const eventTypes = Object.keys(eventTypeRules) as ReadonlyArray<EventType> // border: the keys of a table that is written out here

/** Event types of NetBox, and planned ones, that no event has, with the reason. */
export const unbuiltEventTypes: Readonly<Record<string, string>> = {
  job_started: 'The begin of a run is no event yet: use job_completed and job_failed.',
  job_errored: 'No run ends so: one that fails, or reads only a part, is a job_failed.',
}

/** The object types that rules may have. */
export const eventObjectTypes: ReadonlyArray<string> = [...rowTypes, runType, branchType, heldType, findingType]

/** Object types that no event has, with the reason. */
export const unbuiltObjectTypes: Readonly<Record<string, string>> = {
  [registry.task.objectType]: 'Tasks are history of PBS, which the change log does not have: use netbox_pbs.pbsjob.',
}

/** The event type of an action of the change log. */
export const eventOfAction = {
  create: 'object_created',
  update: 'object_updated',
  delete: 'object_deleted',
} as const satisfies Readonly<Record<ChangeAction, EventType>>

/** The inventory model of an object type; undefined: it is none. */
export const modelOfType = (objectType: string): ModelName | undefined =>
  eventModels.find((model) => registry[model].objectType === objectType)
