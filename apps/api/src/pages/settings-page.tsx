import { SettingsStore } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { Hono } from 'hono'
import type { ApiEnv } from '../rest/caller.ts'
import { apiRoot } from '../rest/links.ts'
import { settingsPage } from '../rest/page-paths.ts'
import { fieldLabel } from '../validation/describe-fields.ts'
import { Nothing } from './components/cell.tsx'
import { formatCount, formatTime } from './components/format.ts'
import { Layout, PageTitle } from './components/layout.tsx'
import type { Viewer } from './components/viewer.ts'
import { html, type ServePage } from './serve-page.tsx'
import { forVisitor } from './visitor-page.ts'

/** The settings, as they apply now. */
export const settingsPages = (serve: ServePage): Hono<ApiEnv> =>
  new Hono<ApiEnv>().get('/settings/', (c) => serve(c, forVisitor(draw)(c)))

const draw = (viewer: Viewer) =>
  Effect.gen(function* () {
    const { created: _, last_updated, ...values } = yield* (yield* SettingsStore).get()
    return html(
      <Layout title="Settings" path={settingsPage} viewer={viewer}>
        <PageTitle title="Settings" />
        <p class="text-secondary">
          Settings are changed over REST, with a PATCH of <code>{`${apiRoot}settings/`}</code>. They apply at once, to
          all services.
        </p>
        <section class="card">
          <table class="table card-table netbox-pbs-attributes">
            <tbody>
              {Object.entries(values).map(([name, value]) => (
                <tr>
                  <th scope="row">{fieldLabel(name)}</th>
                  <td class="netbox-pbs-break">
                    <Value value={value} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <p class="text-secondary mt-3 mb-0">updated {formatTime(last_updated)}</p>
      </Layout>,
    )
  })

const Value = ({ value }: { value: string | number | boolean | ReadonlyArray<string> }) => {
  if (typeof value === 'object') return <Value value={value.join(', ')} />
  if (value === '') return <Nothing />
  if (typeof value === 'boolean') return <>{value ? 'Yes' : 'No'}</>
  return <>{Number.isInteger(value) ? formatCount(Number(value)) : String(value)}</>
}
