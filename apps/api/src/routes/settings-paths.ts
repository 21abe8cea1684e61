import { Settings } from '@netbox-pbs/core'
import { ApiTokens, SettingsStore } from '@netbox-pbs/core/ports'
import { now } from '@netbox-pbs/sync'
import { Effect, Redacted } from 'effect'
import { z } from 'zod'
import { baseUrl } from '../http/base-url.ts'
import { type ApiContext, actorOf } from '../http/caller.ts'
import { invalid } from '../http/http-error.ts'
import type { Path } from '../http/mount-routes.ts'
import { readBody } from '../http/read-body.ts'
import { type Handler, route } from '../http/route.ts'
import { etag, expectedVersions } from '../inventory/etag.ts'
import { apiRoot } from '../inventory/links.ts'
import { jsonSchema } from '../openapi/json-schema.ts'
import {
  bodyErrors,
  errorResponses,
  ifMatchParameter,
  json,
  ref,
  response,
  versionErrors,
} from '../openapi/responses.ts'
import { describeSettings, readSettings, SettingsChange } from '../settings/read-settings.ts'
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
    const read = readSettings(body)
    if ('errors' in read) return yield* invalid(read.errors)
    const { proxbox_api_key, ...change } = read.change
    if (!wasSent(change)) return yield* Effect.dieMessage('a change of the settings holds undefined')
    const settings = yield* SettingsStore
    if (change.branch_approval_required === true) yield* requireSecondWriter
    yield* settings
      .update(
        {
          ...change,
          ...(proxbox_api_key === undefined ? {} : { proxbox_api_key: Redacted.make(proxbox_api_key) }),
        },
        { actor: actorOf(c), versions: expectedVersions(c) },
      )
      .pipe(Effect.catchTag('GatewayKeyNeeded', ({ message }) => invalid({ proxbox_api_key: [message] })))
    return yield* reply200(c)
  })

/** With a single user no branch could be approved, so no branch could ever be merged. */
const requireSecondWriter = Effect.gen(function* () {
  const { branch_approval_required } = yield* (yield* SettingsStore).get()
  const writers = yield* (yield* ApiTokens).writers({ now: yield* now })
  if (!branch_approval_required && writers < 2) return yield* invalid({ branch_approval_required: [noSecondWriter] })
})

const noSecondWriter =
  'Only one user has a token with write access, so no other user could approve a branch. More users are not supported yet: leave this off.'

const reply200 = (c: ApiContext) =>
  Effect.gen(function* () {
    const settings = yield* SettingsStore
    const { created, last_updated, ...values } = yield* settings.get()
    const base = baseUrl(c)
    const address = {
      id: 1,
      url: `${base}${path}1/`,
      display_url: `${base}/plugins/pbs/settings/`,
      display: 'Settings',
    }
    return c.json({ ...address, ...values, created, last_updated }, 200, { ETag: etag({ last_updated }) })
  })

const verbs = { get: 'retrieve', put: 'update', patch: 'partial_update' } as const

/** The one row of settings, as a bare object on the collection and as the object of id 1: some clients look here, some there. */
export const settingsPaths: ReadonlyArray<Path> = [path, `${path}1/`].map((at) => ({
  describe: () => ({
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

/** Schemas of the settings for the document. */
export const settingsSchemas: Readonly<Record<string, object>> = {
  SettingsRequest: jsonSchema(SettingsChange),
  Settings: jsonSchema(
    Settings.extend({
      id: z.literal(1),
      url: z.url(),
      display_url: z.url(),
      display: z.string(),
      proxbox_api_key_configured: z.boolean(),
      created: z.iso.datetime(),
      last_updated: z.iso.datetime(),
    }),
  ),
}

/** JSON holds no undefined, so every field of a change was sent. */
function wasSent(change: { readonly [K in keyof Settings]?: Settings[K] | undefined }): change is Partial<Settings> {
  return Object.values(change).every((value) => value !== undefined)
}
