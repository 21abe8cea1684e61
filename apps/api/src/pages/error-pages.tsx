import type { JSX } from 'hono/jsx/jsx-runtime'
import { home } from '../rest/page-paths.ts'
import { Message } from './components/alert.tsx'
import { Layout } from './components/layout.tsx'
import type { Viewer } from './components/viewer.ts'

/** The requested object does not exist or was deleted; `list` is the page to go to. */
export const notFound = (viewer: Viewer | null, path: string, what = 'This page', list = home): JSX.Element => (
  <Layout title="Not found" path={path} viewer={viewer}>
    <Message
      title={`${what} does not exist`}
      action={{ href: list, label: list === home ? 'To the overview' : 'Back to the list' }}
    >
      It may have been deleted since the link was made.
    </Message>
  </Layout>
)

/** An inventory page in a branch that is not there, or no longer. */
export const noBranch = (viewer: Viewer, path: string, why: string): JSX.Element => (
  <Layout title="No such branch" path={path} viewer={viewer}>
    <Message title="This branch cannot be used" action={{ href: path, label: 'To the branches' }}>
      {why}
    </Message>
  </Layout>
)

/** A form that was not sent by a page of this session. */
export const foreignForm = (viewer: Viewer | null, path: string): JSX.Element => (
  <Layout title="Not accepted" path={path} viewer={viewer}>
    <Message
      title="This form was not accepted"
      action={{ href: path === '' ? home : path, label: 'Load the page again' }}
    >
      It was not sent from a page of this session. Load the page again and send it once more.
    </Message>
  </Layout>
)

/** The answer to a reader who asks for a page or form that needs the right to write. */
export const readOnly = (viewer: Viewer, path: string): JSX.Element => (
  <Layout title="Not allowed" path={path} viewer={viewer}>
    <Message title="You may not change this" action={{ href: home, label: 'To the overview' }}>
      Your role, or the token that you signed in with, does not allow it. An admin gives users their roles.
    </Message>
  </Layout>
)

/** A page about all servers, for a viewer who sees some of them. */
export const notForSomeServers = (viewer: Viewer, path: string): JSX.Element => (
  <Layout title="Not allowed" path={path} viewer={viewer}>
    <Message title="This page is about all servers" action={{ href: home, label: 'To the overview' }}>
      Your user sees some servers only. An admin says which ones.
    </Message>
  </Layout>
)

/** A body larger than any form of ours. */
export const bodyTooLarge = (limit: number): JSX.Element => (
  <Layout title="Too large" path="" viewer={null}>
    <Message title="This form is too large">A form may have {String(limit / 1024)} KiB at most.</Message>
  </Layout>
)
