import { Effect } from 'effect'
import { Hono } from 'hono'
import type { ApiContext, ApiEnv } from '../../rest/caller.ts'
import { baseUrl } from '../../rest/links.ts'
import { referencePage } from '../../rest/page-paths.ts'
import { html, type ServePage } from '../serve-page.tsx'
import { type Document, operationsOf } from './document.ts'
import { OperationPage } from './operation-page.tsx'
import { OverviewPage } from './overview-page.tsx'
import { ReferenceFrame } from './reference-frame.tsx'
import { SchemaPage } from './schema-page.tsx'

/**
 * The OpenAPI document as pages, to be mounted at `/api/schema`: NetBox has its viewers there. Like
 * the document they are open to everybody.
 */
export function referencePages(serve: ServePage, document: Document): Hono<ApiEnv> {
  const operations = new Map(operationsOf(document).map((operation) => [operation.operationId, operation]))
  const { schemas } = document.components
  return new Hono<ApiEnv>()
    .get('/swagger-ui/', (c) =>
      serve(
        c,
        page(() => html(<OverviewPage document={document} />)),
      ),
    )
    .get('/swagger-ui/operations/:id/', (c) => {
      const operation = operations.get(c.req.param('id'))
      return serve(
        c,
        page(() =>
          operation === undefined
            ? notThere(c)
            : html(<OperationPage document={document} operation={operation} base={baseUrl(c)} />),
        ),
      )
    })
    .get('/swagger-ui/schemas/:name/', (c) => {
      const name = c.req.param('name')
      const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined
      return serve(
        c,
        page(() =>
          schema === undefined ? notThere(c) : html(<SchemaPage document={document} name={name} schema={schema} />),
        ),
      )
    })
    .get('/redoc/', (c) => c.redirect(referencePage, 302))
    .get('/:viewer{swagger-ui|redoc}', (c) => c.redirect(`/api/schema/${c.req.param('viewer')}/`, 301))
}

const page = (draw: () => Response) => Effect.sync(draw)

const notThere = (c: ApiContext): Response =>
  html(
    <ReferenceFrame title="Not found" within>
      <p>{`Nothing of this API is described at ${c.req.path}.`}</p>
    </ReferenceFrame>,
    404,
  )
