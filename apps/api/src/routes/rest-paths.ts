import { modelNames } from '@netbox-pbs/core'
import { Effect } from 'effect'
import { stringify } from 'yaml'
import { openApiDocument } from '../openapi/document.ts'
import { json, ref, response } from '../openapi/responses.ts'
import { apiRoot, baseUrl } from '../rest/links.ts'
import { type Path, route } from '../rest/route.ts'
import { branchPaths } from './branch-paths.ts'
import { breachPaths } from './breach-paths.ts'
import { changePaths } from './change-paths.ts'
import { datastorePaths } from './datastore-paths.ts'
import { definitionPaths } from './definition-paths.ts'
import { deliveryPaths } from './delivery-paths.ts'
import { drillPaths } from './drill-paths.ts'
import { encryptionKeyPaths } from './encryption-key-paths.ts'
import { eventRulePaths } from './event-rule-paths.ts'
import { findingPaths } from './finding-paths.ts'
import { guestPaths } from './guest-paths.ts'
import { heldPaths } from './held-paths.ts'
import { insightPaths } from './insight-paths.ts'
import { inventoryPaths } from './inventory-paths.ts'
import { objectivePaths } from './objective-paths.ts'
import { provisionPaths } from './provision-paths.ts'
import { apiRootPath, healthPaths, rootPaths } from './root-paths.ts'
import { serverPaths } from './server-paths.ts'
import { settingsPaths } from './settings-paths.ts'
import { syncRunPaths } from './sync-run-paths.ts'
import { tokenPaths } from './token-paths.ts'
import { userPaths } from './user-paths.ts'
import { webhookPaths } from './webhook-paths.ts'

const resourcePaths: ReadonlyArray<Path> = [
  ...serverPaths,
  ...modelNames.flatMap(inventoryPaths),
  ...datastorePaths,
  ...branchPaths,
  ...changePaths,
  ...settingsPaths,
  ...syncRunPaths,
  ...heldPaths,
  ...encryptionKeyPaths,
  ...findingPaths,
  ...insightPaths,
  ...guestPaths,
  ...drillPaths,
  ...objectivePaths,
  ...breachPaths,
  ...provisionPaths,
  ...tokenPaths,
  ...userPaths,
  ...deliveryPaths,
  ...webhookPaths,
  ...eventRulePaths,
  ...definitionPaths,
]

const described: ReadonlyArray<Path> = [
  ...healthPaths,
  ...rootPaths,
  apiRootPath(resourcePaths.flatMap(endpointOf)),
  ...resourcePaths,
]

/** Every path of the REST API. */
export const restPaths: ReadonlyArray<Path> = [...described, schemaPath(described)]

/** The name of an endpoint directly below the inventory's root; none for another path. */
function endpointOf({ routes }: Path): ReadonlyArray<string> {
  const path = routes[0]?.config.path ?? ''
  const name = path.startsWith(apiRoot) ? /^([\w-]+)\/$/.exec(path.slice(apiRoot.length))?.[1] : undefined
  return name === undefined ? [] : [name]
}

/** The OpenAPI document of some paths and of itself, open to everybody, as clients expect. */
function schemaPath(others: ReadonlyArray<Path>): Path {
  const config = {
    method: 'get' as const,
    path: '/api/schema/',
    operationId: 'schema_retrieve',
    summary: 'Get the OpenAPI document',
    description: 'Open to everybody. With `format=yaml` as YAML, else as JSON.',
    tags: ['schema'],
    security: [],
    parameters: [{ name: 'format', in: 'query' as const, schema: { type: 'string' as const, enum: ['json', 'yaml'] } }],
    responses: {
      200: {
        description: 'This document',
        content: { ...json({ type: 'object' }), 'application/yaml': { schema: { type: 'string' as const } } },
      },
      400: response('The host of the request is not known', ref('Detail')),
    },
  }
  const path: Path = {
    open: true,
    routes: [
      route(config, (c) =>
        Effect.sync(() => {
          const servers = [{ url: baseUrl(c), description: 'The server that this document comes from' }]
          if (c.req.query('format') !== 'yaml') return c.json({ ...document, servers })
          return c.body(`${yaml()}${stringify({ servers })}`, 200, { 'Content-Type': 'application/yaml' })
        }),
      ),
    ],
  }
  const { servers: _, ...document } = openApiDocument([...others, path])
  // Written once: it is long, and everybody may ask for it.
  const yaml = lazily(() => stringify(document, { aliasDuplicateObjects: false }))
  return path
}

function lazily<A>(make: () => A): () => A {
  let made: { readonly value: A } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
