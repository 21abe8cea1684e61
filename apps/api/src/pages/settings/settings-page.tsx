import type { FieldErrors } from '@netbox-pbs/core'
import { SettingsStore } from '@netbox-pbs/core/ports'
import { Effect, Option, Redacted } from 'effect'
import { Hono } from 'hono'
import type { ApiEnv } from '../../rest/caller.ts'
import { settingsPage } from '../../rest/page-paths.ts'
import { changeSettings } from '../../settings/change-settings.ts'
import { settingFields, settingsBody } from '../../settings/setting-fields.ts'
import { fieldLabel } from '../../validation/describe-fields.ts'
import { Nothing } from '../components/cell.tsx'
import { formatCount, formatTime } from '../components/format.ts'
import { Layout, PageTitle } from '../components/layout.tsx'
import type { Viewer } from '../components/viewer.ts'
import { keepSecret, openKept } from '../kept-secret.ts'
import { html, type ServePage, seeOther } from '../serve-page.tsx'
import { forVisitor, forWriterForm } from '../visitor-page.ts'
import { SettingsForm, type SettingsFormProps, settingHints } from './settings-form.tsx'

/** The settings: a form for those who may change them, and a table for everybody else. */
export const settingsPages = (serve: ServePage): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/settings/', (c) => serve(c, forVisitor(show)(c)))
    .post('/settings/', (c) => serve(c, change(c)))

const stored = Effect.flatMap(SettingsStore, (settings) => settings.get())

/** The settings as they apply now. */
type Stored = Effect.Effect.Success<typeof stored>

const show = (viewer: Viewer) =>
  Effect.map(stored, (settings) =>
    viewer.writes ? form(viewer, settings, { values: textsOf(settings), errors: {} }) : readOnly(viewer, settings),
  )

const change = forWriterForm((viewer, { form_token: _, version = '', kept_secret = '', ...typed }, requestId) =>
  Effect.gen(function* () {
    const sealed =
      (typed['proxbox_api_key'] ?? '') === '' && kept_secret !== ''
        ? yield* openKept(kept_secret, viewer)
        : Option.none<Redacted.Redacted<string>>()
    const key = Option.match(sealed, { onNone: () => typed['proxbox_api_key'] ?? '', onSome: Redacted.value })
    // An error keeps the typed texts; the key is sent back sealed.
    const again = (errors: FieldErrors, status: number) =>
      Effect.gen(function* () {
        const kept = key === '' ? null : yield* keepSecret(Redacted.make(key), viewer)
        return form(viewer, yield* stored, { values: typed, errors: wordsOf(errors), kept }, status)
      })
    const actor = { user: viewer.username, requestId }
    const versions = version === '' ? undefined : [version]
    return yield* changeSettings(settingsBody({ ...typed, proxbox_api_key: key }), { actor, versions }).pipe(
      Effect.as(seeOther(settingsPage)),
      Effect.catchTags({
        ValidationFailed: ({ errors }) => again(errors, 400),
        VersionChanged: (changed) => again({ __all__: [changedSince(changed.version)] }, 409),
      }),
    )
  }),
)

const changedSince = (version: string): string =>
  `The settings were changed at ${formatTime(version)}, after this page was opened, and nothing was stored. Look at them in another window; to store what is below nevertheless, save it again.`

const wordsOf = (errors: FieldErrors): SettingsFormProps['errors'] =>
  Object.fromEntries(Object.entries(errors).map(([field, words]) => [field, [words].flat().map(String)]))

/** The stored settings as texts of the form. */
const textsOf = (settings: Stored): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) =>
      name in settingFields ? [[name, typeof value === 'object' ? value.join('\n') : String(value)]] : [],
    ),
  )

const form = (
  viewer: Viewer,
  { proxbox_api_key_configured: hasKey, last_updated }: Stored,
  content: Pick<SettingsFormProps, 'values' | 'errors'> & { readonly kept?: string | null },
  status = 200,
): Response =>
  html(
    <Layout title="Settings" path={settingsPage} viewer={viewer}>
      <PageTitle title="Settings" />
      <p class="text-secondary">They apply at once, to all services. Last changed {formatTime(last_updated)}.</p>
      <SettingsForm
        formToken={viewer.formToken}
        version={last_updated}
        hasKey={hasKey}
        {...content}
        kept={content.kept ?? null}
      />
    </Layout>,
    status,
  )

const readOnly = (viewer: Viewer, { created: _, last_updated, ...values }: Stored): Response =>
  html(
    <Layout title="Settings" path={settingsPage} viewer={viewer}>
      <PageTitle title="Settings" />
      <p class="text-secondary">Admins may change them. They apply at once, to all services.</p>
      <section class="card">
        <table class="table card-table netbox-pbs-attributes">
          <tbody>
            {Object.entries(values).map(([name, value]) => (
              <tr>
                <th scope="row">{fieldLabel(name)}</th>
                <td class="netbox-pbs-break">
                  <Value value={value} />
                </td>
                <td class="text-secondary">{hintOf(name)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="text-secondary mt-3 mb-0">updated {formatTime(last_updated)}</p>
    </Layout>,
  )

const hintOf = (name: string): string => (({ ...settingHints }) as Readonly<Record<string, string>>)[name] ?? ''

const Value = ({ value }: { value: string | number | boolean | ReadonlyArray<string> }) => {
  if (typeof value === 'object') return <Value value={value.join(', ')} />
  if (value === '') return <Nothing />
  if (typeof value === 'boolean') return <>{value ? 'Yes' : 'No'}</>
  return <>{Number.isInteger(value) ? formatCount(Number(value)) : String(value)}</>
}
