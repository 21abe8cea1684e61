import type { Child } from 'hono/jsx'

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
