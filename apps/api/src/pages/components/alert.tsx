import type { Child } from 'hono/jsx'

/** A message above the content. */
export const Alert = ({ kind, children }: { kind: 'success' | 'warning' | 'danger' | 'info'; children?: Child }) => (
  <div class={`alert alert-${kind} netbox-pbs-alert`} role={kind === 'danger' ? 'alert' : 'status'}>
    {children}
  </div>
)

/** The errors of the parameters in a list page's address, from REST's error body. */
export const WrongParameters = ({ body }: { body: object }) => (
  <>
    {Object.entries(body).map(([name, texts]) => (
      <Alert kind="danger">
        {Array.isArray(body)
          ? String(texts)
          : [texts]
              .flat()
              .map((text) => wrongValue(name, String(text)))
              .join(' ')}
      </Alert>
    ))}
  </>
)

const notAmong = /^Select a valid choice\. (.*) is not one of the available choices\.$/s

/** What is wrong with a parameter, in a sentence for people. */
function wrongValue(name: string, text: string): string {
  const value = notAmong.exec(text)?.[1]
  if (value === undefined) return `${name}: ${text}`
  return /^server(_id)?(__n)?$/.test(name) ? `There is no server ${value}.` : `${name}: there is no choice ${value}.`
}

/** Parameters of a page's address that changed nothing. */
export const IgnoredParameters = ({ names }: { names: ReadonlyArray<string> }) =>
  names.length === 0 ? null : (
    <Alert kind="warning">The list has no such filter and is shown without it: {names.join(', ')}.</Alert>
  )

/** A page that says one thing, and where to go from there. */
export const Message = ({
  title,
  action,
  children,
}: {
  title: string
  action?: { readonly href: string; readonly label: string }
  children?: Child
}) => (
  <div class="empty">
    <h1 class="empty-title">{title}</h1>
    <p class="empty-subtitle text-secondary">{children}</p>
    {action === undefined ? null : (
      <div class="empty-action">
        <a class="btn" href={action.href}>
          {action.label}
        </a>
      </div>
    )}
  </div>
)
