import { hostname } from 'node:os'
import { definitionModels } from '@netbox-pbs/core'
import { SettingsStore, type StoreFailed, Users, Workers } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { z } from 'zod'
import { errorResponses, jsonSchema, ref, response } from '../openapi/responses.ts'
import { servedUser } from '../records/user.ts'
import { forbidden } from '../rest/http-error.ts'
import { apiRoot, baseUrl, tokensPath, usersPath } from '../rest/links.ts'
import { type Handler, type Path, type Route, route } from '../rest/route.ts'
import { workerNotice } from '../runs/worker-notice.ts'
import type { ApiServices } from '../services.ts'
import { netboxVersion, version } from '../version.ts'

/** Names and addresses below a path, in alphabetical order. */
type Directory = (base: string) => z.infer<typeof Addresses>

const Addresses = z.record(z.string(), z.url())

const Status = z.object({
  'django-version': z.null(),
  hostname: z.string(),
  installed_apps: z.record(z.string(), z.string()),
  'netbox-version': z.string(),
  'netbox-full-version': z.string(),
  plugins: z.record(z.string(), z.string()),
  'python-version': z.null(),
  'rq-workers-running': z.int(),
})

const Plugin = z.object({
  name: z.string(),
  package: z.string(),
  author: z.string(),
  author_email: z.string(),
  description: z.string(),
  version: z.string(),
  release_track: z.string(),
})

const Alive = z.object({ status: z.literal('ok') })

const Ready = z.object({
  status: z.literal('ready'),
  workers: z.int(),
  note: z.string().nullable().describe('Why nothing is synced; null: a worker runs.'),
})

const directories: Readonly<Record<string, Directory>> = {
  '/api/': (base) => ({
    'authentication-check': `${base}/api/authentication-check/`,
    extras: `${base}/api/extras/`,
    plugins: `${base}/api/plugins/`,
    schema: `${base}/api/schema/`,
    status: `${base}/api/status/`,
    users: `${base}/api/users/`,
  }),
  '/api/extras/': (base) =>
    Object.fromEntries(
      [...Object.values(definitionModels).map(({ path }) => path), 'event-rules', 'webhooks']
        .sort()
        .map((path) => [path, `${base}/api/extras/${path}/`]),
    ),
  '/api/users/': (base) => ({ tokens: `${base}${tokensPath}`, users: `${base}${usersPath}` }),
  '/api/plugins/': (base) => ({
    'installed-plugins': `${base}/api/plugins/installed-plugins/`,
    pbs: `${base}${apiRoot}`,
  }),
}

const summaries: Readonly<Record<string, string>> = { '/api/status/': 'Get the versions, and the number of workers' }

const alive = { summary: 'Whether the process lives', description: 'For supervisors; needs no token.' }

const ready = {
  summary: 'Whether requests can be served',
  description: 'Asks the database; needs no token. Says also whether a worker runs.',
}

const statusOf = (running: number) => ({
  'django-version': null,
  hostname: hostname(),
  installed_apps: {},
  'netbox-version': netboxVersion,
  'netbox-full-version': netboxVersion,
  plugins: { netbox_pbs: version },
  'python-version': null,
  'rq-workers-running': running,
})

const plugin = {
  name: 'netbox-pbs',
  package: 'netbox_pbs',
  author: 'netbox-pbs',
  author_email: '',
  description: 'Inventory of Proxmox Backup Servers',
  version,
  release_track: '',
}

/** The directory of the inventory's own endpoints. */
export function apiRootPath(endpoints: ReadonlyArray<string>): Path {
  return directoryPath(apiRoot, (base) =>
    Object.fromEntries([...endpoints].sort().map((name) => [name, `${base}${apiRoot}${name}/`])),
  )
}

/** The paths by which clients find the API and learn their own user. */
export const rootPaths: ReadonlyArray<Path> = [
  ...Object.entries(directories).map(([path, directory]) => directoryPath(path, directory)),
  readPath('/api/status/', Status, () => Effect.map(workersState, ({ running }) => statusOf(running))),
  { branch: 'any', byServer: true, routes: [installedPlugins()] },
  { branch: 'any', byServer: true, routes: [authenticationCheck()] },
]

/** Whether the process lives, and whether it can serve. */
export const healthPaths: ReadonlyArray<Path> = [
  { open: true, routes: [probe('/healthz', Alive, (c) => Effect.sync(() => c.json({ status: 'ok' })))] },
  {
    open: true,
    routes: [
      probe('/readyz', Ready, (c) =>
        Effect.gen(function* () {
          const settings = yield* SettingsStore
          yield* settings.get()
          const workers = yield* workersState
          // The API also serves without a worker; the note says so.
          return c.json({ status: 'ready', workers: workers.running, note: workerNotice(workers) })
        }),
      ),
    ],
  },
]

const workersState = Effect.flatMap(Workers, (workers) => workers.state())

function directoryPath(path: string, directory: Directory): Path {
  return readPath(path, Addresses, (base) => Effect.succeed(directory(base)))
}

function readPath<A extends object>(
  path: string,
  schema: z.ZodType<A>,
  read: (base: string) => Effect.Effect<A, StoreFailed, ApiServices>,
): Path {
  const name = path.split('/').filter(Boolean).at(-1) ?? 'api'
  return {
    branch: 'any',
    byServer: true,
    describe: () =>
      Effect.succeed({ name, description: '', renders: ['application/json'], parses: ['application/json'] }),
    routes: [
      route(
        {
          method: 'get',
          path,
          operationId: `${path.replace(/^\/api\//, '').replaceAll('/', '_')}retrieve`.replace(
            /^retrieve$/,
            'root_retrieve',
          ),
          summary: summaries[path] ?? `List the addresses below ${path}`,
          description: 'Answered in main also for a request that names a branch.',
          tags: [name],
          responses: { ...errorResponses, 200: response('The directory', jsonSchema(schema)) },
        },
        (c) => Effect.map(read(baseUrl(c)), (answer) => c.json(answer)),
      ),
    ],
  }
}

function installedPlugins(): Route {
  const path = '/api/plugins/installed-plugins/'
  const responses = { ...errorResponses, 200: response('The plugins', jsonSchema(z.array(Plugin))) }
  const operationId = 'plugins_installed_plugins_list'
  const summary = 'List the installed plugins'
  const description = 'As NetBox does: netbox-pbs, with its version.'
  return route({ method: 'get', path, operationId, summary, description, tags: ['plugins'], responses }, (c) =>
    Effect.sync(() => c.json([plugin])),
  )
}

function authenticationCheck(): Route {
  const path = '/api/authentication-check/'
  const responses = { ...errorResponses, 200: response('The user of the token', ref('User')) }
  const operationId = 'authentication_check_retrieve'
  const summary = 'Get the user of the token'
  const description = 'Answers 403 for a token that is not valid.'
  const tags = ['authentication-check']
  return route({ method: 'get', path, operationId, summary, description, tags, responses }, (c) =>
    Effect.gen(function* () {
      const users = yield* Users
      const [user] = (yield* users.list({ ids: [c.get('caller').id], limit: 1, offset: 0 })).rows
      if (user === undefined) return yield* forbidden('User inactive')
      return c.json(servedUser(baseUrl(c), user))
    }),
  )
}

function probe(path: string, schema: z.ZodType, handler: Handler): Route {
  const responses = {
    200: response('It is', jsonSchema(schema)),
    400: response('The host of the request is not known', ref('Detail')),
    503: response('It is not', ref('Detail')),
  }
  const operationId = `${path.slice(1)}_retrieve`
  const about = path === '/healthz' ? alive : ready
  return route({ method: 'get', path, operationId, ...about, tags: ['health'], security: [], responses }, handler)
}
