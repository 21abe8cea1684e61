import type { Fields } from './field.ts'

/** What every model has beside its own columns: the operator's words about an object. */
export const everyModelFields = {
  tags: { class: 'operator', type: 'json', default: [], label: 'Tags', merge: 'set' },
  custom_fields: { class: 'operator', type: 'json', default: {}, label: 'Custom fields', merge: 'map' },
} as const satisfies Fields
