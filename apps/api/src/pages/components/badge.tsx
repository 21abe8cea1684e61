/** A word in a colour of Tabler's. `title` says more to those who point at it. */
export const Badge = ({ color, label, title }: { color: string; label: string; title?: string | undefined }) => (
  <span class={`badge netbox-pbs-badge netbox-pbs-${color}`} title={title}>
    {label}
  </span>
)
