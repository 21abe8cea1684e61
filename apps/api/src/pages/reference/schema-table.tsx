import type { Child } from 'hono/jsx'
import { schemaPage } from '../../rest/page-paths.ts'
import { nameOf, type Schema } from './document.ts'

/** Text of the document, in which words between back quotes are code. */
export const Text = ({ children }: { children: string }) => (
  <>{children.split('`').map((part, at) => (at % 2 === 1 ? <code>{part}</code> : part))}</>
)

/** The type of a value, with links to the schemas that have names. */
export const TypeOf = ({ schema }: { schema: Schema }) => <>{typeOf(schema)}</>

function typeOf(schema: Schema): Child {
  const name = nameOf(schema)
  if (name !== null) return <a href={schemaPage(name)}>{name}</a>
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return joined(choices.map(typeOf))
  if (schema.const !== undefined) return <code>{JSON.stringify(schema.const)}</code>
  if (schema.enum !== undefined) return joined(schema.enum.map((value) => <code>{JSON.stringify(value)}</code>))
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  return types.length === 0 ? 'any value' : joined(types.map((type) => named(type, schema)))
}

const joined = (parts: ReadonlyArray<Child>): Child => (
  <>{parts.map((part, at) => (at === 0 ? part : <> or {part}</>))}</>
)

function named(type: string, { format, items, properties, additionalProperties }: Schema): Child {
  if (type === 'array')
    return items === undefined || items.not !== undefined ? (
      'an empty array'
    ) : (
      <>
        array of <TypeOf schema={items} />
      </>
    )
  if (type === 'object' && properties === undefined && typeof additionalProperties === 'object')
    return (
      <>
        object of <TypeOf schema={additionalProperties} />
      </>
    )
  return format === undefined ? type : `${type} (${format})`
}

const bounds = [
  ['minimum', 'at least'],
  ['exclusiveMinimum', 'more than'],
  ['maximum', 'at most'],
  ['minLength', 'characters at least:'],
  ['maxLength', 'characters at most:'],
  ['minItems', 'elements at least:'],
  ['maxItems', 'elements at most:'],
] as const

/** The limits of a value, in words; empty: it has none. */
export const limitsOf = (schema: Schema): ReadonlyArray<string> => [
  ...bounds.flatMap(([key, words]) => (schema[key] === undefined ? [] : [`${words} ${schema[key]}`])),
  ...(schema.pattern === undefined ? [] : [`matches ${schema.pattern}`]),
  ...(schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]),
  ...(schema.readOnly === true ? ['read only'] : []),
  ...(schema.writeOnly === true ? ['write only'] : []),
]

/** The description of a value, then its limits. */
export const About = ({ description, schema }: { description?: string | undefined; schema: Schema }) => {
  const limits = limitsOf(schema).join(', ')
  return (
    <>
      {description === undefined ? null : <Text>{description}</Text>}
      {limits === '' ? null : <span class="text-secondary">{`${description === undefined ? '' : ' '}${limits}`}</span>}
    </>
  )
}

interface WideTableProps {
  readonly label: string
  readonly columns: ReadonlyArray<string>
  readonly children?: Child
}

/** A table with a head that scrolls sideways where the screen is narrow. */
export const WideTable = ({ label, columns, children }: WideTableProps) => (
  <section class="table-responsive" aria-label={label}>
    <table class="table card-table netbox-pbs-list">
      <thead>
        <tr>
          {columns.map((column) => (
            <th scope="col">{column}</th>
          ))}
        </tr>
      </thead>
      {children}
    </table>
  </section>
)

/** The fields of an object, those of objects within it below their own. */
export const Fields = ({ label, schema }: { label: string; schema: Schema }) => (
  <WideTable label={label} columns={['Field', 'Type', 'About']}>
    <tbody>
      {fieldsOf(schema).map(({ name, field, required }) => (
        <tr>
          <th scope="row" class="fw-normal">
            <code>{name}</code>
            {required ? <span class="text-secondary"> required</span> : null}
          </th>
          <td>
            <TypeOf schema={field} />
          </td>
          <td>
            <About description={field.description} schema={field} />
          </td>
        </tr>
      ))}
    </tbody>
  </WideTable>
)

interface FieldRow {
  readonly name: string
  readonly field: Schema
  readonly required: boolean
}

const fieldsOf = ({ properties = {}, required = [] }: Schema, before = ''): ReadonlyArray<FieldRow> =>
  Object.entries(properties).flatMap(([name, field]) => {
    const own = { name: `${before}${name}`, field, required: required.includes(name) }
    const object = field.properties === undefined ? objectIn(field) : field
    return object === undefined
      ? [own]
      : [own, ...fieldsOf(object, `${own.name}${field.type === 'array' ? '[].' : '.'}`)]
  })

/** The object of an array of objects, or of an object that may be null. */
const objectIn = ({ items, anyOf, oneOf }: Schema): Schema | undefined =>
  [items, ...(anyOf ?? oneOf ?? [])].find((one) => one?.properties !== undefined)
