import { type Document, operationsOf, type Schema, usersOf } from './document.ts'
import { exampleOf } from './example.ts'
import { Listed } from './overview-page.tsx'
import { Code, Part, ReferenceFrame } from './reference-frame.tsx'
import { About, Fields, TypeOf } from './schema-table.tsx'

/** One schema: its fields, an example, and the operations that take or answer it. */
export const SchemaPage = ({ document, name, schema }: { document: Document; name: string; schema: Schema }) => {
  const users = usersOf(operationsOf(document), name)
  return (
    <ReferenceFrame title={name} within>
      <p class="mb-0">
        <TypeOf schema={schema} />. <About description={schema.description} schema={schema} />
      </p>
      {schema.properties === undefined ? null : (
        <Part title="Fields">
          <Fields label={`Fields of ${name}`} schema={schema} />
        </Part>
      )}
      <Part title="Example">
        <Code label={`Example of ${name}`}>
          {JSON.stringify(exampleOf(schema, document.components.schemas), null, 2)}
        </Code>
      </Part>
      {users.length === 0 ? null : (
        <Part title="Used by">
          <ul class="list-group list-group-flush">
            {users.map((operation) => (
              <Listed operation={operation} />
            ))}
          </ul>
        </Part>
      )}
    </ReferenceFrame>
  )
}
