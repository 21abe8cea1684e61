/** A word in a colour of Tabler's. `title` says more to those who point at it. */
export const Badge = ({ color, label, title }: { color: string; label: string; title?: string | undefined }) => (
  <span class={`badge bg-${color}-lt text-${color}-lt-fg`} title={title}>
    {label}
  </span>
)
