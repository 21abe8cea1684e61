import { formatDay, type ModelName, registry } from '@netbox-pbs/core'
import { DatastoreUsage, InventoryLists, RequestCosts, SettingsStore } from '@netbox-pbs/core/ports'
import { Clock, Effect, Option } from 'effect'
import { attachedTo } from '../inventory/attached.ts'
import { placeOf } from '../rest/branch-place.ts'
import type { ApiContext } from '../rest/caller.ts'
import { listPage, rowPage } from '../rest/page-paths.ts'
import { anyRow, display } from '../rest/row.ts'
import { branchBanner, branchView } from './branch-view.tsx'
import { childLists, latestTasks } from './child-lists.ts'
import { Alert } from './components/alert.tsx'
import { AttachedPanels } from './components/attached.tsx'
import { CertificateAlert } from './components/certificate-alert.tsx'
import { ClockAlert } from './components/clock-alert.tsx'
import { Detail, Related } from './components/detail.tsx'
import { formatTime } from './components/format.ts'
import { LatestTasks } from './components/latest-tasks.tsx'
import { Layout, PageTitle } from './components/layout.tsx'
import { ServerCosts } from './components/server-costs.tsx'
import { SyncButton } from './components/sync-button.tsx'
import { TokenAlert } from './components/token-alert.tsx'
import { UsageHistory } from './components/usage-history.tsx'
import type { PageBranch, Viewer } from './components/viewer.ts'
import { notFound } from './error-pages.tsx'
import { sameCertificate } from './same-certificate.tsx'
import { html, type Page } from './serve-page.tsx'
import { forVisitor } from './visitor-page.ts'

/** A row of a model with all it says, and the lists below it. */
export const detail =
  (name: ModelName, id: number) =>
  (c: ApiContext): Page =>
    forVisitor(
      (viewer) => branchView(c, { viewer, place: placeOf(name) }, (branch) => draw(viewer, name, id, branch)),
      'by server',
    )(c)

const draw = (viewer: Viewer, name: ModelName, id: number, branch: PageBranch): Page =>
  Effect.gen(function* () {
    const model = registry[name]
    const lists = yield* InventoryLists
    // An id beyond the range of a number belongs to no row.
    const found = Number.isSafeInteger(id) ? yield* lists.get({ model: name, id }) : Option.none()
    if (Option.isNone(found))
      return html(notFound(viewer, listPage(name), `${model.label} ${id}`, listPage(name, branch)), 404)
    const path = rowPage(name, id)
    const row = anyRow(found.value)
    const title = display(name, row)
    const tasks = yield* latestTasks(name, row, branch)
    const related = (
      <>
        <Related lists={yield* childLists(name, row, branch)} />
        {name === 'server' ? <ServerCosts {...(yield* costsOf(row.id))} /> : null}
        <UsageHistory points={name === 'datastore' ? yield* usageOf(row.id) : []} />
        {tasks === null ? null : <LatestTasks {...tasks} branch={branch} />}
      </>
    )
    const definitions = yield* attachedTo(name, [row])
    const attached = <AttachedPanels model={model} row={row} attached={definitions} branch={branch} />
    const twin = name === 'server' ? yield* sameCertificate(row) : null
    // The objects of these forms are not branched.
    const writes = viewer.writes && branch === null
    const syncable = name === 'server' && viewer.operates && branch === null && row['endpoint_state'] === 'connected'
    return html(
      <Layout title={title} path={path} viewer={viewer} banner={branchBanner(name, branch, path)}>
        <PageTitle title={title} crumbs={[{ href: listPage(name, branch), label: model.labelPlural }]}>
          {syncable ? <SyncButton formToken={viewer.formToken} server={row.serverName} /> : null}
        </PageTitle>
        {typeof row['missing_since'] === 'string' ? (
          <Alert kind="warning">
            Missing since {formatTime(row['missing_since'])}: its source no longer lists it. It is deleted when the next
            run's list lacks it too, unless its deletion is held back.
          </Alert>
        ) : null}
        {name === 'server' ? <CertificateAlert row={row} viewer={{ ...viewer, writes }} /> : null}
        {name === 'server' ? <ClockAlert offset={row['clock_offset_seconds']} /> : null}
        {twin}
        {name === 'server' ? <TokenAlert warning={row['token_warning']} /> : null}
        <Detail model={model} row={row} related={related} attached={attached} branch={branch} />
      </Layout>,
    )
  })

const costsOf = (serverId: number) =>
  Effect.gen(function* () {
    const costs = yield* RequestCosts
    const today = formatDay(yield* Clock.currentTimeMillis)
    const { rows: days } = yield* costs.days({ serverId, limit: 7, offset: 0 })
    const { pbs_requests_per_day: allowed } = yield* (yield* SettingsStore).get()
    return { today, allowed, days, lastRun: Option.getOrNull(yield* costs.lastRun({ serverId })) }
  })

/** Points that the page draws: the last four months. */
const drawnPoints = 480

const usageOf = (datastoreId: number) =>
  Effect.gen(function* () {
    const usage = yield* DatastoreUsage
    return (yield* usage.points({ datastoreId, limit: drawnPoints, offset: 0 })).rows
  })
