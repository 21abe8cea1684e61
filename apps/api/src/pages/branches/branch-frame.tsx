import { type Branch, branchAllows } from '@netbox-pbs/core'
import { Effect } from 'effect'
import type { Child } from 'hono/jsx'
import { branchById } from '../../branches/named-branch.ts'
import { branchesPage, branchPage, listPage } from '../../rest/page-paths.ts'
import { Alert } from '../components/alert.tsx'
import { formatCount } from '../components/format.ts'
import { Layout, PageTitle } from '../components/layout.tsx'
import type { Viewer } from '../components/viewer.ts'
import { notFound } from '../error-pages.tsx'
import { html, type Page } from '../serve-page.tsx'

/** The message at the top of a branch's page: an error, or the result of a dry run. */
export interface Notice {
  readonly kind: 'danger' | 'info'
  readonly text: string
  readonly status: 200 | 400 | 409
}

/** The page around each part of a branch. */
export const BranchFrame = (props: {
  branch: Branch
  viewer: Viewer
  tab: BranchTab
  notice: Notice | null
  children?: Child
}) => {
  const { branch, viewer, tab, notice } = props
  return (
    <Layout title={branch.name} path={branchPage(branch.id)} viewer={viewer}>
      <PageTitle title={branch.name} crumbs={[{ href: branchesPage, label: 'Branches' }]}>
        {branchAllows(branch, 'read') ? (
          <a class="btn btn-primary" href={listPage('server', branch)}>
            Work in this branch
          </a>
        ) : null}
      </PageTitle>
      {notice === null ? null : <Alert kind={notice.kind}>{notice.text}</Alert>}
      <BranchTabs branch={branch} tab={tab} />
      {props.children}
    </Layout>
  )
}

/** The parts of a branch's page. */
type BranchTab = 'overview' | 'changes' | 'conflicts'

/** Leads from one part of a branch's page to the others. */
const BranchTabs = ({ branch, tab }: { branch: Branch; tab: BranchTab }) => (
  <ul class="nav nav-tabs mb-3" aria-label="Parts of this branch">
    <Tab href={branchPage(branch.id)} label="Branch" active={tab === 'overview'} />
    <Tab
      href={`${branchPage(branch.id)}changes/`}
      label="Changes"
      count={branch.changes}
      active={tab === 'changes'}
      color="secondary"
    />
    <Tab
      href={`${branchPage(branch.id)}conflicts/`}
      label="Conflicts"
      count={branch.conflicts}
      active={tab === 'conflicts'}
      color={branch.conflicts > 0 ? 'orange' : 'secondary'}
    />
  </ul>
)

const Tab = (props: { href: string; label: string; active: boolean; count?: number; color?: string }) => (
  <li class="nav-item">
    <a
      class={props.active ? 'nav-link active' : 'nav-link'}
      href={props.href}
      aria-current={props.active ? 'page' : undefined}
    >
      {props.label}
      {props.count === undefined ? null : (
        <span class={`badge netbox-pbs-badge netbox-pbs-${props.color} ms-2`}>{formatCount(props.count)}</span>
      )}
    </a>
  </li>
)

/** A page about a branch; one that is not there is a page too. */
export const withBranch = (viewer: Viewer, id: number, page: (branch: Branch) => Page): Page =>
  branchById(id).pipe(
    Effect.flatMap(page),
    Effect.catchTag('BranchNotFound', () =>
      Effect.succeed(html(notFound(viewer, branchesPage, `Branch ${id}`, branchesPage), 404)),
    ),
  )
