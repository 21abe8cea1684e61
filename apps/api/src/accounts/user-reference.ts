import { pythonText } from '../validation/python-text.ts'

/** How a body names a user: the attributes to match, and the error when no user has them. */
export type UserReference =
  | { readonly _tag: 'user'; readonly id: number | null; readonly username: string | null; readonly notFound: string }
  | { readonly _tag: 'rejected'; readonly message: string }

/** Reads how a body names a user, as NetBox does: by id, or by a dictionary of attributes. It looks nothing up. */
export function readUserReference(input: unknown): UserReference {
  if (input === null) return rejected('This field may not be null.')
  if (isId(input)) {
    return {
      _tag: 'user',
      id: Number(input),
      username: null,
      notFound: `Related object not found using the provided numeric ID: ${input}`,
    }
  }
  if (typeof input !== 'object' || Array.isArray(input)) {
    const text = typeof input === 'string' ? input : pythonText(input)
    return rejected(
      `Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value: ${text}`,
    )
  }
  const attributes = new Map<string, unknown>(Object.entries(input ?? {}))
  const notFound = `Related object not found using the provided attributes: ${pythonText(input)}`
  const unknown = [...attributes.keys()].find((name) => name !== 'id' && name !== 'username')
  if (unknown !== undefined) {
    return rejected(`Cannot resolve keyword ${pythonText(unknown)} into field. Choices are: id, username`)
  }
  const [id, username] = [attributes.get('id'), attributes.get('username')]
  if (id !== undefined && !isId(id)) return rejected(`Field 'id' expected a number but got ${pythonText(id)}.`)
  if (attributes.size === 0 || (username !== undefined && !isName(username))) return rejected(notFound)
  return {
    _tag: 'user',
    id: id === undefined ? null : Number(id),
    username: isName(username) ? username : null,
    notFound,
  }
}

const rejected = (message: string): UserReference => ({ _tag: 'rejected', message })

const isId = (input: unknown): input is number | string =>
  typeof input === 'number' ? Number.isInteger(input) : typeof input === 'string' && /^\s*[+-]?\d{1,30}\s*$/.test(input)

/** Text that a database can be asked for. */
const isName = (input: unknown): input is string =>
  typeof input === 'string' && !input.includes('\0') && input.isWellFormed()
