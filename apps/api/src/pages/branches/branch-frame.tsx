import { type Branch, branchAllows } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import { branchesPage, branchPage, listPage } from '../../rest/page-paths.ts'
import { Alert } from '../components/alert.tsx'
import { type BranchTab, BranchTabs } from '../components/branch-tabs.tsx'
import { Layout } from '../components/layout.tsx'
import { PageTitle } from '../components/page-title.tsx'
import type { Viewer } from '../components/viewer.ts'

/** What a page of a branch says first: what could not be done, or what would be. */
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
