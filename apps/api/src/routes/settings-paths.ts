import { SettingsStore } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import {
  bodyErrors,
  errorResponses,
  ifMatchParameter,
  json,
  ref,
  response,
  versionErrors,
} from '../openapi/responses.ts'
import { type ApiContext, actorOf } from '../rest/caller.ts'
import { etag, expectedVersions } from '../rest/etag.ts'
import { invalid } from '../rest/http-error.ts'
import { apiRoot, baseUrl } from '../rest/links.ts'
import { settingsPage } from '../rest/page-paths.ts'
import { readBody } from '../rest/read-body.ts'
import { type Handler, type Path, route } from '../rest/route.ts'
import { changeSettings } from '../settings/change-settings.ts'
import { describeSettings } from '../settings/read-settings.ts'
import { pythonType } from '../validation/python-text.ts'
import { isDictionary } from '../validation/validate-item.ts'

const path = `${apiRoot}settings/`

const read: Handler = (c) => reply200(c)

const write: Handler = (c) =>
  Effect.gen(function* () {
    const body = yield* readBody(c)
    if (!isDictionary(body)) {
      return yield* invalid({ __all__: [`Invalid data. Expected a dictionary, but got ${pythonType(body)}.`] })
    }
    yield* changeSettings(body, { actor: actorOf(c), versions: expectedVersions(c) })
    return yield* reply200(c)
  })

const reply200 = (c: ApiContext) =>
  Effect.gen(function* () {
    const settings = yield* SettingsStore
    const { created, last_updated, ...values } = yield* settings.get()
    const base = baseUrl(c)
    const address = {
      id: 1,
      url: `${base}${path}1/`,
      display_url: `${base}${settingsPage}`,
      display: 'Settings',
    }
    return c.json({ ...address, ...values, created, last_updated }, 200, { ETag: etag({ last_updated }) })
  })

const verbs = { get: 'retrieve', put: 'update', patch: 'partial_update' } as const

/**
 * The one row of settings, as a bare object on the collection and as the object of id 1: some
 * clients look here, some there.
 */
export const settingsPaths: ReadonlyArray<Path> = [path, `${path}1/`].map((at) => ({
  describe: () =>
    Effect.succeed({
      name: 'Settings',
      description: '',
      renders: ['application/json'],
      parses: ['application/json'],
      actions: { PUT: describeSettings() },
    }),
  routes: (['get', 'put', 'patch'] as const).map((method) =>
    route(
      {
        method,
        path: at,
        operationId: `plugins_pbs_settings_${at === path ? '' : 'by_id_'}${verbs[method]}`,
        summary: method === 'get' ? 'Get the settings' : 'Change the settings',
        description: 'There is one row of settings, with the id 1. Fields that are left out stay, also with PUT.',
        tags: ['plugins'],
        ...(method === 'get'
          ? {}
          : { parameters: [ifMatchParameter], requestBody: { content: json(ref('SettingsRequest')) } }),
        responses: {
          ...errorResponses,
          200: response('The settings', ref('Settings')),
          ...(method === 'get' ? {} : { ...bodyErrors, ...versionErrors }),
        },
      },
      method === 'get' ? read : write,
    ),
  ),
}))
