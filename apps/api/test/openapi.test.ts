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
