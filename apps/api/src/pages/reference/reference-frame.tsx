import type { Child } from 'hono/jsx'
import { home, referencePage } from '../../rest/page-paths.ts'
import { Layout, PageTitle } from '../components/layout.tsx'

/** The frame of the pages about REST, which are open to everybody and have no menu. */
export const ReferenceFrame = ({
  title,
  within = false,
  children,
}: {
  title: string
  within?: boolean
  children?: Child
}) => (
  <Layout title={title} path={referencePage} viewer={null} wide>
    <PageTitle
      title={title}
      crumbs={[{ href: home, label: 'netbox-pbs' }, ...(within ? [{ href: referencePage, label: 'REST API' }] : [])]}
    >
      <a class="btn btn-sm" href="/api/schema/?format=json">
        JSON
      </a>
      <a class="btn btn-sm" href="/api/schema/?format=yaml">
        YAML
      </a>
    </PageTitle>
    <div class="netbox-pbs-stack">{children}</div>
  </Layout>
)

/** A part of a page, with its heading. */
export const Part = ({ title, id, children }: { title: string; id?: string; children?: Child }) => (
  <section class="card" id={id}>
    <div class="card-header">
      <h2 class="card-title">{title}</h2>
    </div>
    {children}
  </section>
)

/** Text to copy, which scrolls sideways. */
export const Code = ({ label, children }: { label: string; children: string }) => (
  <section class="card-body" aria-label={label}>
    <pre class="mb-0">
      <code>{children}</code>
    </pre>
  </section>
)

const colors: Readonly<Record<string, string>> = {
  GET: 'blue',
  POST: 'green',
  PUT: 'orange',
  PATCH: 'orange',
  DELETE: 'red',
}

/** A method in its colour. */
export const Method = ({ method }: { method: string }) => (
  <span class={`badge netbox-pbs-badge netbox-pbs-method netbox-pbs-${colors[method] ?? 'secondary'}`}>{method}</span>
)
