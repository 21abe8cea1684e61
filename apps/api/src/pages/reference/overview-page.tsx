import { operationPage, schemaPage } from '../../rest/page-paths.ts'
import { byTag, type Document, type Operation, operationsOf } from './document.ts'
import { Method, Part, ReferenceFrame } from './reference-frame.tsx'

/** Every operation by its tag, and every schema. */
export const OverviewPage = ({ document }: { document: Document }) => {
  const tags = byTag(operationsOf(document))
  return (
    <ReferenceFrame title="REST API">
      <p class="text-secondary mb-0">
        Version {document.info.version}. Requests carry a token in the header <code>Authorization: Bearer nbt_…</code>,
        or <code>Token …</code> for one of version 1. The document can be read without one.
      </p>
      <nav class="card" aria-label="Parts of this page">
        <div class="card-body btn-list">
          {tags.map(({ tag }) => (
            <a href={`#tag-${tag}`}>{tag}</a>
          ))}
          <a href="#schemas">Schemas</a>
        </div>
      </nav>
      {tags.map(({ tag, operations }) => (
        <Part title={tag} id={`tag-${tag}`}>
          <ul class="list-group list-group-flush">
            {operations.map((operation) => (
              <Listed operation={operation} />
            ))}
          </ul>
        </Part>
      ))}
      <Part title="Schemas" id="schemas">
        <ul class="card-body netbox-pbs-names mb-0">
          {Object.keys(document.components.schemas)
            .toSorted()
            .map((name) => (
              <li>
                <a href={schemaPage(name)}>{name}</a>
              </li>
            ))}
        </ul>
      </Part>
    </ReferenceFrame>
  )
}

/** An operation in a list: where it is, and what it does. */
export const Listed = ({ operation: { method, path, operationId, summary } }: { operation: Operation }) => (
  <li class="list-group-item netbox-pbs-operation">
    <a href={operationPage(operationId)}>
      <Method method={method} /> <code class="netbox-pbs-break">{path}</code>
    </a>
    <span class="text-secondary">{summary}</span>
  </li>
)
