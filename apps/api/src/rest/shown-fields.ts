import type { Presentation } from '@netbox-pbs/core'

/** Which fields of an object are shown. In brief form: those that every object has so, and `brief`. */
export function shownFields(
  { fields, omit, brief }: Presentation,
  ofBrief: ReadonlyArray<string>,
): (name: string) => boolean {
  if (fields !== null) return (name) => fields.includes(name)
  if (omit !== null) return (name) => !omit.includes(name)
  if (!brief) return () => true
  const names = ['id', 'url', 'display', ...ofBrief]
  return (name) => names.includes(name)
}
