import type { ObjectiveRule } from './objective.ts'

/** The most rules that there may be: each group is compared with all of them. */
export const mostObjectiveRules = 500

/** The longest time that a rule may allow, in hours: ten years. */
export const mostObjectiveHours = 87_600

/** The fields of a rule that users write. */
export interface ObjectiveRuleValues {
  readonly name: string
  /** The rule with the lowest weight that fits a group applies; of equal weights the older one. */
  readonly weight: number
  /** Patterns in which `*` is any text and `?` a character; null: any value. */
  readonly server: string | null
  readonly datastore: string | null
  /** The empty string is the root namespace alone. */
  readonly namespace: string | null
  readonly backup_type: string | null
  readonly backup_id: string | null
  /** The slug of a tag that the group must have; null: any. */
  readonly tag: string | null
  /** How old the newest backup may be; null: the groups are not watched. */
  readonly hours: number | null
  readonly comment: string
}

/** A rule about how old the newest backup of some groups may be. */
export interface StoredObjectiveRule extends ObjectiveRuleValues {
  readonly id: number
  /** RFC 3339. */
  readonly created: string
  readonly last_updated: string
}

/** A stored rule as groups are compared with it. */
export const objectiveRuleOf = ({
  backup_type,
  ...rule
}: ObjectiveRuleValues & { readonly id: number }): ObjectiveRule => ({ ...rule, type: backup_type })
