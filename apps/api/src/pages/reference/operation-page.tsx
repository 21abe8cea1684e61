import { splitParameter } from '@netbox-pbs/core'
import { type Document, jsonSchemaOf, nameOf, type Operation, type Parameter, type Schema } from './document.ts'
import { curlOf, exampleOf } from './example.ts'
import { Code, Method, Part, ReferenceFrame } from './reference-frame.tsx'
import { About, Fields, Text, TypeOf, WideTable } from './schema-table.tsx'

/** One operation: how it is called, what it takes, and what it answers. */
export const OperationPage = ({
  document: { components },
  operation,
  base,
}: {
  document: Document
  operation: Operation
  /** The address of this system, for the example. */
  base: string
}) => {
  const { method, path, summary, description, parameters = [], requestBody, responses, security } = operation
  const body = jsonSchemaOf(requestBody?.content)
  return (
    <ReferenceFrame title={summary} within>
      <div class="netbox-pbs-break">
        <Method method={method} /> <code>{path}</code>
      </div>
      <p class="mb-0">
        <Text>{description}</Text> {security?.length === 0 ? 'It needs no token.' : 'It needs a token.'} The id of the
        operation is <code class="netbox-pbs-break">{operation.operationId}</code>.
      </p>
      <Part title="Example">
        <Code label="Example with curl">{curlOf(operation, components.schemas, base)}</Code>
      </Part>
      {parameters.length === 0 ? null : (
        <Part title="Parameters">
          <Parameters parameters={parameters} />
        </Part>
      )}
      {body === null ? null : (
        <Part title="Body">
          <div class="card-body">
            JSON: <TypeOf schema={body} />
          </div>
          <Shape label="Fields of the body" schema={body} components={components} />
        </Part>
      )}
      <Part title="Answers">
        <WideTable label="Answers by their status" columns={['Status', 'Meaning', 'Body']}>
          <tbody>
            {Object.entries(responses).map(([status, { description: meaning, content = {} }]) => (
              <tr>
                <th scope="row">{status}</th>
                <td>
                  <Text>{meaning}</Text>
                </td>
                <td>
                  {Object.entries(content).map(([type, { schema }]) => (
                    <div>
                      {type}: <TypeOf schema={schema} />
                    </div>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </WideTable>
      </Part>
      <AnswerExample operation={operation} components={components} />
    </ReferenceFrame>
  )
}

type Components = Document['components']

/** The fields of an object that a body may be; of an array, those of its elements. */
const Shape = ({ label, schema, components }: { label: string; schema: Schema; components: Components }) => {
  const object = objectOf(schema, components)
  return object === null ? null : <Fields label={label} schema={object} />
}

function objectOf(schema: Schema, components: Components): Schema | null {
  const name = nameOf(schema)
  if (name !== null) return objectOf(components.schemas[name] ?? {}, components)
  if (schema.properties !== undefined) return schema
  const inner = schema.items ?? (schema.oneOf ?? schema.anyOf)?.[0]
  return inner === undefined ? null : objectOf(inner, components)
}

const AnswerExample = ({ operation: { responses }, components }: { operation: Operation; components: Components }) => {
  const [status, answer] = Object.entries(responses).find(([code]) => code.startsWith('2')) ?? []
  const schema = jsonSchemaOf(answer?.content)
  return status === undefined || schema === null ? null : (
    <Part title={`Example of an answer ${status}`}>
      <Code label={`Example of an answer ${status}`}>
        {JSON.stringify(exampleOf(schema, components.schemas), null, 2)}
      </Code>
    </Part>
  )
}

/** A parameter, and the names that compare with its value in other ways. */
interface Compared {
  readonly parameter: Parameter
  readonly lookups: ReadonlyArray<Parameter>
}

/** The parameters, each with its lookups in one row. */
function compared(parameters: ReadonlyArray<Parameter>): ReadonlyArray<Compared> {
  const names = new Set(parameters.map(({ name }) => name))
  const baseOf = (parameter: Parameter): string | null => {
    const { name, suffix } = splitParameter(parameter.name)
    return parameter.in === 'query' && suffix !== null && names.has(name) ? name : null
  }
  return parameters
    .filter((parameter) => baseOf(parameter) === null)
    .map((parameter) => ({ parameter, lookups: parameters.filter((other) => baseOf(other) === parameter.name) }))
}

const Parameters = ({ parameters }: { parameters: ReadonlyArray<Parameter> }) => (
  <WideTable label="Parameters" columns={['Name', 'In', 'Type', 'About']}>
    <tbody>
      {compared(parameters).map(
        ({ parameter: { name, in: place, required = false, schema, description }, lookups }) => (
          <tr>
            <th scope="row" class="fw-normal">
              <code>{name}</code>
              {required ? <span class="text-secondary"> required</span> : null}
            </th>
            <td>{place}</td>
            <td>
              <TypeOf schema={schema} />
            </td>
            <td>
              <About description={description} schema={schema} />
              {lookups.length === 0 ? null : <Lookups lookups={lookups} />}
            </td>
          </tr>
        ),
      )}
    </tbody>
  </WideTable>
)

const Lookups = ({ lookups }: { lookups: ReadonlyArray<Parameter> }) => (
  <div class="netbox-pbs-lookups">
    <span class="text-secondary">Also:</span>
    {lookups.map(({ name, schema }) => (
      <span>
        <code>{name}</code>
        {schema.type === 'boolean' ? <span class="text-secondary"> (true or false)</span> : null}
      </span>
    ))}
  </div>
)
