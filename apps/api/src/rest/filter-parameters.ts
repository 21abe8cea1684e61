import { type Field, type FilterField, suffixesOf } from '@netbox-pbs/core'

/** The schema of a parameter, as far as filters need one; an alias, since the document's own type has an index. */
type ParameterSchema = {
  readonly type: 'string' | 'integer' | 'boolean' | 'array'
  readonly format?: 'date-time' | 'uuid'
  enum?: Array<string>
  readonly items?: ParameterSchema
}

/** A query parameter of a list in the document; likewise. */
type FilterParameter = {
  readonly name: string
  readonly in: 'query'
  readonly schema: ParameterSchema
}

/** The parameters that filter a list by its fields: each by itself, and with every suffix of its type. */
export const filterParameters = (
  fields: Readonly<Record<string, Field | FilterField>>,
): ReadonlyArray<FilterParameter> =>
  Object.entries(fields).flatMap(([name, field]) => {
    const named =
      field.type === 'reference'
        ? [withSuffixes(name, field, text), withSuffixes(`${name}_id`, field, integer)]
        : [withSuffixes(name, field, schemaOf(field))]
    return named.flat()
  })

const text: ParameterSchema = { type: 'string' }
const integer: ParameterSchema = { type: 'integer' }

function withSuffixes(
  name: string,
  { type }: Field | FilterField,
  value: ParameterSchema,
): ReadonlyArray<FilterParameter> {
  const values: ParameterSchema = type === 'boolean' ? value : { type: 'array', items: value }
  return [
    { name, in: 'query', schema: values },
    ...suffixesOf(type).map(
      (suffix): FilterParameter => ({
        name: `${name}__${suffix}`,
        in: 'query',
        schema: suffix === 'empty' ? { type: 'boolean' } : values,
      }),
    ),
  ]
}

/** One value of a filter by a field that is no reference. */
function schemaOf(field: Field | FilterField): ParameterSchema {
  switch (field.type) {
    case 'boolean':
      return { type: 'boolean' }
    case 'integer':
      return integer
    case 'datetime':
      return { type: 'string', format: 'date-time' }
    case 'uuid':
      return { type: 'string', format: 'uuid' }
    case 'choice':
      return { type: 'string', enum: field.choices.map(({ value }) => value) }
    default:
      return text
  }
}
