import type { ApiContext } from './caller.ts'

/** The longest value of the header, in characters: clients refuse answers whose headers are too long. */
const maxLength = 4000

/** Names the parameters that changed nothing in `X-Ignored-Parameters`: NetBox ignores them without a word. */
export function nameIgnored(c: ApiContext, names: ReadonlyArray<string>): void {
  let value = ''
  for (const name of names) {
    const longer = `${value}${value === '' ? '' : ', '}${encodeURIComponent(name)}`
    if (longer.length > maxLength) break
    value = longer
  }
  if (value !== '') c.header('X-Ignored-Parameters', value)
}
