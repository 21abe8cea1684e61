import type { FilterField } from '../query/lookups.ts'
import type { RecordFields } from '../query/record-fields.ts'
import type { Choice, Field, Fields, JsonValue, ModelName } from '../registry/field.ts'

/** Definitions of the operator: tags, custom fields, and the choices of such fields. They are not branched. */
export const definitionKinds = ['tag', 'custom_field', 'choice_set'] as const

/** A kind of definition. */
export type DefinitionKind = (typeof definitionKinds)[number]

const choices = (all: Readonly<Record<string, string>>): ReadonlyArray<Choice> =>
  Object.entries(all).map(([value, label]) => ({ value, label, color: 'gray' }))

/**
 * The types of custom fields. NetBox has two more, `object` and `multiobject`, which refer to its own
 * objects and are refused.
 */
export const customFieldTypes = {
  text: 'Text',
  longtext: 'Text (long)',
  integer: 'Integer',
  decimal: 'Decimal',
  boolean: 'Boolean',
  date: 'Date',
  datetime: 'Date & time',
  url: 'URL',
  json: 'JSON',
  select: 'Selection',
  multiselect: 'Multiple selection',
} as const

/** The type of a custom field's values. */
export type CustomFieldType = keyof typeof customFieldTypes

/** How a filter compares text: not at all, by a part of it without regard to case, or as a whole. */
export type FilterLogic = 'disabled' | 'loose' | 'exact'

const text = (label: string, max: number) => ({ class: 'operator', type: 'text', label, max, default: '' }) as const
const requiredText = (label: string, max: number) =>
  ({ class: 'operator', type: 'text', label, max, required: true }) as const
const flag = (label: string) => ({ class: 'operator', type: 'boolean', label, default: false }) as const
const smallNumber = (label: string, value: number) =>
  ({ class: 'operator', type: 'integer', label, min: 0, max: 32_767, default: value }) as const
const limit = (label: string) =>
  ({
    class: 'operator',
    type: 'integer',
    label,
    min: Number.MIN_SAFE_INTEGER,
    max: Number.MAX_SAFE_INTEGER,
    nullable: true,
  }) as const

const tagFields = {
  name: requiredText('Name', 100),
  slug: requiredText('Slug', 100),
  color: { ...text('Color', 6), default: '9e9e9e' },
  description: text('Description', 200),
  weight: smallNumber('Weight', 1000),
  object_types: { class: 'operator', type: 'json', label: 'Object types', default: [] },
} as const satisfies Fields

const customFieldFields = {
  object_types: { class: 'operator', type: 'json', label: 'Object types', required: true },
  type: { class: 'operator', type: 'choice', label: 'Type', required: true, choices: choices(customFieldTypes) },
  name: requiredText('Name', 50),
  label: text('Label', 50),
  group_name: text('Group name', 50),
  description: text('Description', 200),
  required: flag('Required'),
  unique: flag('Must be unique'),
  search_weight: smallNumber('Search weight', 1000),
  filter_logic: {
    class: 'operator',
    type: 'choice',
    label: 'Filter logic',
    choices: choices({ disabled: 'Disabled', loose: 'Loose', exact: 'Exact' }),
    default: 'loose',
  },
  ui_visible: {
    class: 'operator',
    type: 'choice',
    label: 'UI visible',
    choices: choices({ always: 'Always', 'if-set': 'If set', hidden: 'Hidden' }),
    default: 'always',
  },
  ui_editable: {
    class: 'operator',
    type: 'choice',
    label: 'UI editable',
    choices: choices({ yes: 'Yes', no: 'No', hidden: 'Hidden' }),
    default: 'yes',
  },
  is_cloneable: flag('Is cloneable'),
  default: { class: 'operator', type: 'json', label: 'Default', nullable: true },
  weight: smallNumber('Display weight', 100),
  validation_minimum: limit('Minimum value'),
  validation_maximum: limit('Maximum value'),
  validation_regex: text('Validation regex', 500),
  choice_set: { class: 'operator', type: 'json', label: 'Choice set', nullable: true },
  comments: text('Comments', 10_000),
} as const satisfies Fields

const choiceSetFields = {
  name: requiredText('Name', 100),
  description: text('Description', 200),
  extra_choices: { class: 'operator', type: 'json', label: 'Extra choices', required: true },
  order_alphabetically: flag('Order alphabetically'),
} as const satisfies Fields

/** A kind of definition: its names, its fields, and how its lists are ordered and searched. */
export interface DefinitionModel {
  /** Path segment in REST. */
  readonly path: string
  /** As NetBox's errors name one; also with a capital letter in its 404. */
  readonly label: string
  readonly labelPlural: string
  /** The name of NetBox's class, in its 404. */
  readonly className: string
  readonly objectType: string
  readonly fields: Fields
  /** Fields of which no two definitions have the same value, without regard to case. */
  readonly unique: ReadonlyArray<string>
  readonly brief: ReadonlyArray<string>
  readonly order: ReadonlyArray<string>
  /** The fields that `q` looks in. */
  readonly search: ReadonlyArray<string>
}

/** Every kind of definition with its fields, in the order REST serves them. */
export const definitionModels = {
  tag: {
    path: 'tags',
    label: 'tag',
    labelPlural: 'tags',
    className: 'Tag',
    objectType: 'extras.tag',
    fields: tagFields,
    unique: ['name', 'slug'],
    brief: ['name', 'slug', 'color', 'description'],
    order: ['weight', 'name'],
    search: ['name', 'slug', 'description'],
  },
  custom_field: {
    path: 'custom-fields',
    label: 'custom field',
    labelPlural: 'custom fields',
    className: 'CustomField',
    objectType: 'extras.customfield',
    fields: customFieldFields,
    unique: ['name'],
    brief: ['name', 'description'],
    order: ['group_name', 'weight', 'name'],
    search: ['name', 'label', 'group_name', 'description', 'comments'],
  },
  choice_set: {
    path: 'custom-field-choice-sets',
    label: 'custom field choice set',
    labelPlural: 'custom field choice sets',
    className: 'CustomFieldChoiceSet',
    objectType: 'extras.customfieldchoiceset',
    fields: choiceSetFields,
    unique: ['name'],
    brief: ['name', 'description', 'choices_count'],
    order: ['name'],
    search: ['name', 'description'],
  },
} as const satisfies Record<DefinitionKind, DefinitionModel>

/** The fields that a kind's list is filtered and ordered by. */
export function definitionListFields(kind: DefinitionKind): RecordFields {
  const own = Object.entries<Field>(definitionModels[kind].fields).flatMap(
    ([name, field]): ReadonlyArray<[string, FilterField]> => {
      switch (field.type) {
        case 'text':
        case 'boolean':
          return [[name, { type: field.type }]]
        case 'integer':
          return [[name, { type: 'integer', min: field.min, max: field.max }]]
        case 'choice':
          return [[name, { type: 'choice', choices: field.choices }]]
        default:
          return []
      }
    },
  )
  return {
    id: { type: 'integer', min: 1, max: Number.MAX_SAFE_INTEGER },
    ...Object.fromEntries(own),
    created: { type: 'datetime' },
    last_updated: { type: 'datetime' },
  }
}

interface Defined {
  readonly id: number
  /** RFC 3339. */
  readonly created: string
  readonly last_updated: string
}

/** A tag. */
export interface Tag extends Defined {
  readonly name: string
  readonly slug: string
  /** Six hexadecimal digits, in lower case. */
  readonly color: string
  readonly description: string
  readonly weight: number
  /** The models whose rows may have it; empty: all. */
  readonly object_types: ReadonlyArray<ModelName>
}

/** A value and its label. */
export type ChoicePair = readonly [value: string, label: string]

/** The values that a selection may have. */
export interface ChoiceSet extends Defined {
  readonly name: string
  readonly description: string
  readonly extra_choices: ReadonlyArray<ChoicePair>
  readonly order_alphabetically: boolean
}

/** A custom field. */
export interface CustomField extends Defined {
  readonly object_types: ReadonlyArray<ModelName>
  readonly type: CustomFieldType
  readonly name: string
  readonly label: string
  readonly group_name: string
  readonly description: string
  readonly required: boolean
  readonly unique: boolean
  readonly search_weight: number
  readonly filter_logic: FilterLogic
  readonly ui_visible: 'always' | 'if-set' | 'hidden'
  readonly ui_editable: 'yes' | 'no' | 'hidden'
  readonly is_cloneable: boolean
  readonly default: JsonValue
  readonly weight: number
  readonly validation_minimum: number | null
  readonly validation_maximum: number | null
  readonly validation_regex: string
  /** The id of a choice set, of a selection. */
  readonly choice_set: number | null
  readonly comments: string
}

/** The definitions by kind. */
export interface Definitions {
  readonly tag: Tag
  readonly custom_field: CustomField
  readonly choice_set: ChoiceSet
}

/**
 * A custom field as the rows of one model have it. Rows name it by `key`, which no other field of
 * any model ever has: a renamed field keeps its values, and a field that was removed from a model
 * never gets them back.
 */
export interface ModelField extends CustomField {
  readonly key: string
  /** Of a selection. */
  readonly choices: ReadonlyArray<ChoicePair>
  /** The name of its choice set. */
  readonly choiceSetName: string | null
}

/** The name that people read: the label, or the field's name in words. */
export const fieldTitle = ({ label, name }: Pick<CustomField, 'label' | 'name'>): string => {
  const words = name.replaceAll('_', ' ').toLowerCase()
  return label === '' ? `${words.charAt(0).toUpperCase()}${words.slice(1)}` : label
}
