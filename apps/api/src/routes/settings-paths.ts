import { type FieldErrors, Settings } from '@netbox-pbs/core'
import { SettingsStore } from '@netbox-pbs/core/ports'
import { isCron } from '@netbox-pbs/sync'
import { Effect, Redacted } from 'effect'
import { z } from 'zod'
import { baseUrl } from '../http/base-url.ts'
import type { ApiContext } from '../http/caller.ts'
import type { Path } from '../http/mount-routes.ts'
import { readBody } from '../http/read-body.ts'
import { invalid } from '../http/refused.ts'
import { type Handler, route } from '../http/route.ts'
import { etag, wantedVersions } from '../inventory/etag.ts'
import { apiRoot } from '../inventory/links.ts'
import { bodyRefusals, ifMatchParameter, json, ref, refusals, reply, versionRefusals } from '../openapi/replies.ts'
import { noCron } from '../validation/check-text.ts'
import { pythonType } from '../validation/python-text.ts'
import { isDictionary } from '../validation/validate-item.ts'

const path = `${apiRoot}settings/`

const schedule = Settings.shape.sync_schedule.refine((text) => text === '' || isCron(text), noCron)

/** What a write takes: unknown and read-only fields are ignored, the key is never shown again. */
const Change = z.object({ ...Settings.shape, sync_schedule: schedule, proxbox_api_key: z.string().max(2000) }).partial()

const read: Handler = (c) => reply200(c)

const write: Handler = (c) =>
  Effect.gen(function* () {
    const body = yield* readBody(c)
    if (!isDictionary(body)) {
      return yield* invalid({ __all__: [`Invalid data. Expected a dictionary, but got ${pythonType(body)}.`] })
    }
    const parsed = Change.safeParse(body)
    if (!parsed.success) return yield* invalid(fieldErrors(parsed.error))
    const { proxbox_api_key, ...change } = parsed.data
    if (!wasSent(change)) return yield* Effect.dieMessage('a change of the settings holds undefined')
    const settings = yield* SettingsStore
    yield* settings
      .update(
        {
          ...change,
          ...(proxbox_api_key === undefined ? {} : { proxbox_api_key: Redacted.make(proxbox_api_key) }),
        },
        { versions: wantedVersions(c) },
      )
      .pipe(Effect.catchTag('GatewayKeyNeeded', ({ message }) => invalid({ proxbox_api_key: [message] })))
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
      display_url: `${base}/plugins/pbs/settings/`,
      display: 'Settings',
    }
    return c.json({ ...address, ...values, created, last_updated }, 200, { ETag: etag({ last_updated }) })
  })

/** The one row of settings, as a bare object on the collection and as the object of id 1: some clients look here, some there. */
export const settingsPaths: ReadonlyArray<Path> = [path, `${path}1/`].map((at) => ({
  routes: (['get', 'put', 'patch'] as const).map((method) =>
    route(
      {
        method,
        path: at,
        tags: ['plugins'],
        ...(method === 'get'
          ? {}
          : { parameters: [ifMatchParameter], requestBody: { content: json(ref('SettingsRequest')) } }),
        responses: {
          200: reply('The settings', ref('Settings')),
          ...(method === 'get' ? {} : { ...bodyRefusals, ...versionRefusals }),
          ...refusals,
        },
      },
      method === 'get' ? read : write,
    ),
  ),
}))

/** Schemas of the settings for the document. */
export const settingsSchemas: Readonly<Record<string, object>> = {
  SettingsRequest: jsonSchema(Change),
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

function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema)
  return rest
}

function fieldErrors(error: z.ZodError): FieldErrors {
  const errors: Record<string, Array<string>> = {}
  for (const issue of error.issues) {
    const field = String(issue.path[0] ?? '__all__')
    errors[field] = [...(errors[field] ?? []), issue.message]
  }
  return errors
}

/** JSON holds no undefined, so every field of a change was sent. */
function wasSent(change: { readonly [K in keyof Settings]?: Settings[K] | undefined }): change is Partial<Settings> {
  return Object.values(change).every((value) => value !== undefined)
}
