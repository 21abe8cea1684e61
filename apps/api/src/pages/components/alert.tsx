import type { Child } from 'hono/jsx'

/** A message above the content. */
export const Alert = ({ kind, children }: { kind: 'success' | 'warning' | 'danger' | 'info'; children?: Child }) => (
  <div class={`alert alert-${kind}`} role={kind === 'danger' ? 'alert' : 'status'}>
    {children}
  </div>
)
