/** A word as NetBox serves a choice: the value, and its label for people. */
export const choice = <A extends string>(value: A): { readonly value: A; readonly label: string } => ({
  value,
  label: `${value.charAt(0).toUpperCase()}${value.slice(1).replaceAll('_', ' ')}`,
})
