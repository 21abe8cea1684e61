import type { Field } from '@netbox-pbs/core'

/** What a column is called on pages: a value with its unit needs no unit in its name. */
export const columnLabel = ({ label, ...field }: Field): string =>
  field.type === 'integer' && field.unit === 'bytes' ? label.replace(/ bytes$/, '') : label
