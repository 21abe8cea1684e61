/** The depth to which a value is written; deeper parts are left out. */
const maxDepth = 4

/** A JSON value as Python writes it, because NetBox's sentences quote it so. */
export function pythonText(value: unknown, depth = 0): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') {
    const quote = value.includes("'") && !value.includes('"') ? '"' : "'"
    const escaped = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll(quote, `\\${quote}`)
    return `${quote}${escaped}${quote}`
  }
  if (depth === maxDepth && typeof value === 'object') return '…'
  if (Array.isArray(value)) return `[${value.map((item) => pythonText(item, depth + 1)).join(', ')}]`
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, item]) => `${pythonText(key)}: ${pythonText(item, depth + 1)}`)
      .join(', ')}}`
  }
  return String(value)
}

/** The name of a JSON value's type in Python. */
export function pythonType(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  switch (typeof value) {
    case 'string':
      return 'str'
    case 'boolean':
      return 'bool'
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    default:
      return 'dict'
  }
}
