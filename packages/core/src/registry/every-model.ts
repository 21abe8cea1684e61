import type { Fields } from './field.ts'

/** Fields of every model in addition to its own columns: tags and other words of the operator. */
export const everyModelFields = {
  tags: { class: 'operator', type: 'json', default: [], label: 'Tags', merge: 'set' },
  custom_fields: { class: 'operator', type: 'json', default: {}, label: 'Custom fields', merge: 'map' },
} as const satisfies Fields
