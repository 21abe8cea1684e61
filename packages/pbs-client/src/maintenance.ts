/**
 * A maintenance mode of a datastore. `mode` is PBS's word (`read-only`, `offline`, `delete`,
 * `unmount`, `s3-refresh`, or a later one).
 */
export interface PbsMaintenance {
  readonly mode: string
  readonly message: string | null
}

/**
 * Reads the property string in `maintenance` of the datastore list and `maintenance-mode` of the configuration:
 * `[type=]<mode>[,message=<text>]`, the text quoted or not, percent-encoded or not.
 * Null when there is no mode.
 */
export const parseMaintenance = (text: string | null | undefined): PbsMaintenance | null => {
  if (text === null || text === undefined) return null
  const properties = splitProperties(text)
  const mode = properties.find(([key]) => key === 'type' || key === '')?.[1].trim() ?? ''
  if (mode === '') return null
  const message = properties.find(([key]) => key === 'message')?.[1]
  return { mode, message: message === undefined || message === '' ? null : percentDecode(message) }
}

/** Whether reads answer in this mode: only `read-only` (and no mode) lets them. */
export const allowsReading = (maintenance: PbsMaintenance | null): boolean =>
  maintenance === null || maintenance.mode === 'read-only'

const splitProperties = (text: string): ReadonlyArray<readonly [string, string]> => {
  const properties: Array<readonly [string, string]> = []
  // key= (optional), then a quoted text with backslash escapes or anything up to the next comma.
  const property = /\s*(?:([A-Za-z][\w-]*)=)?(?:"((?:[^"\\]|\\.)*)"|([^,]*))(?:,|$)/gy
  while (property.lastIndex < text.length) {
    const match = property.exec(text)
    if (match === null) break
    const [, key = '', quoted, plain = ''] = match
    properties.push([key, quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1')])
  }
  return properties
}

const percentDecode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
