import { expect, test } from 'vitest'
import { openApiDocument } from '../src/openapi/document.ts'
import { restPaths } from '../src/routes/rest-paths.ts'

test('the committed OpenAPI document is the one that the routes make', async () => {
  // After a wanted change: npx vitest run apps/api/test/openapi.test.ts -u
  await expect(`${JSON.stringify(openApiDocument(restPaths), null, 2)}\n`).toMatchFileSnapshot('../openapi.json')
})

test('every reference of the document leads somewhere', () => {
  const text = JSON.stringify(openApiDocument(restPaths))
  const references = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name))
  const document: { components: { schemas: Record<string, unknown> } } = JSON.parse(text)
  expect([...references].filter((name) => name === undefined || !(name in document.components.schemas))).toEqual([])
})

test('every operation says what it does', () => {
  const { paths } = openApiDocument(restPaths) as Described // border: the document is OpenAPI's
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, about]) => ({ operation: `${method} ${path}`, ...about })),
  )
  expect(operations.length).toBeGreaterThan(80)
  expect(operations.filter(({ summary, description }) => !summary || !description)).toEqual([])
})

test('every operation has an id of its own', () => {
  const { paths } = openApiDocument(restPaths) as Described // border: the document is OpenAPI's
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({ operation: `${method} ${path}`, operationId })),
  )
  expect(operations.filter(({ operationId }) => operationId === undefined)).toEqual([])
  const ids = operations.map(({ operationId }) => operationId)
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
})

interface Described {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<string, { readonly operationId?: string; readonly summary?: string; readonly description?: string }>
      >
    >
  >
}
