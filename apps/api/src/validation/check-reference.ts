import { type Field, type KnownRows, type ReferencedRows, registry } from '@netbox-pbs/core'
import { accepted, type Checked, notNull, rejected } from './check-value.ts'
import { pythonText } from './python-text.ts'

/** Attributes of a server that a body names it by, with `id` among them. */
export type Attributes = Readonly<Record<string, Attribute>>

type Attribute = string | number | boolean | null

/** The servers that bodies name. */
export interface NamedServers extends ReferencedRows {
  /** By other attributes than id and name. */
  readonly attributes: ReadonlyArray<Attributes>
}

/** The servers that there are of those named. */
export interface FoundServers extends KnownRows {
  /** The ids of servers with some attributes, by the text of these; two are as good as more. */
  readonly idsByAttributes: ReadonlyMap<string, ReadonlyArray<number>>
}

/** Attributes as one text, for maps. */
export const attributesText = (attributes: Attributes): string => JSON.stringify(attributes)

/** A reference to another row in a body: a number is an id, a text a name, a dictionary its attributes. */
type Reference =
  | { readonly _tag: 'id'; readonly id: number }
  | { readonly _tag: 'name'; readonly name: string }
  | { readonly _tag: 'id and name'; readonly id: number | null; readonly name: string | null }
  | { readonly _tag: 'attributes'; readonly attributes: Attributes }
  | { readonly _tag: 'rejected'; readonly message: string }

/** The rows to look up before `checkReference` can check the reference. */
export function referencedByInput(input: unknown): NamedServers {
  const reference = readReference(input)
  const none = { names: [], ids: [], attributes: [] }
  switch (reference._tag) {
    case 'id':
      return { ...none, ids: [reference.id] }
    case 'name':
      return { ...none, names: [reference.name], ids: isNumeric(reference.name) ? [Number(reference.name)] : [] }
    case 'id and name':
      return {
        ...none,
        names: reference.name === null ? [] : [reference.name],
        ids: reference.id === null ? [] : [reference.id],
      }
    case 'attributes':
      return { ...none, attributes: [reference.attributes] }
    case 'rejected':
      return none
  }
}

/** The id of the row meant. A text that is no name may still be an id, as NetBox takes it. */
export function checkReference(input: unknown, { ids, idsByName, idsByAttributes }: FoundServers): Checked {
  if (input === null) return notNull
  const reference = readReference(input)
  const noSuchAttributes = () =>
    rejected(`Related object not found using the provided attributes: ${pythonText(input)}`)
  switch (reference._tag) {
    case 'rejected':
      return rejected(reference.message)
    case 'id':
      return ids.has(reference.id) ? accepted(reference.id) : noSuchId(reference.id)
    case 'name': {
      const id = idsByName.get(reference.name)
      if (id !== undefined) return accepted(id)
      if (!isNumeric(reference.name)) return rejected(unrecognized(reference.name))
      return ids.has(Number(reference.name)) ? accepted(Number(reference.name)) : noSuchId(Number(reference.name))
    }
    case 'id and name': {
      const { id, name } = reference
      const found = name === null ? (id !== null && ids.has(id) ? id : undefined) : idsByName.get(name)
      return found !== undefined && (id === null || id === found) ? accepted(found) : noSuchAttributes()
    }
    case 'attributes': {
      const [id, another] = idsByAttributes.get(attributesText(reference.attributes)) ?? []
      if (id === undefined) return noSuchAttributes()
      return another === undefined
        ? accepted(id)
        : rejected(`Multiple objects match the provided attributes: ${pythonText(input)}`)
    }
  }
}

function readReference(input: unknown): Reference {
  if (typeof input === 'number' && Number.isSafeInteger(input)) return { _tag: 'id', id: input }
  if (typeof input === 'string') return { _tag: 'name', name: input.trim() }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { _tag: 'rejected', message: unrecognized(pythonText(input)) }
  }
  const given = Object.entries(input)
  const unknown = given.find(([name]) => !attributeNames.includes(name))?.[0]
  if (unknown !== undefined) {
    return {
      _tag: 'rejected',
      message: `Cannot resolve keyword ${pythonText(unknown)} into field. Choices are: ${attributeNames.join(', ')}`,
    }
  }
  const attributes: Record<string, Attribute> = {}
  for (const [name, value] of given) {
    const read = readAttribute(name, value)
    if (read === undefined)
      return { _tag: 'rejected', message: `Field '${name}' expected a number but got ${pythonText(value)}.` }
    attributes[name] = read
  }
  const { id, name, ...others } = attributes
  const isById = id === undefined || typeof id === 'number'
  const isByName = name === undefined || typeof name === 'string'
  return given.length > 0 && Object.keys(others).length === 0 && isById && isByName
    ? { _tag: 'id and name', id: id ?? null, name: name ?? null }
    : { _tag: 'attributes', attributes }
}

const serverFields: Readonly<Record<string, Field>> = registry.server.fields

/** The attributes that name a server, in the order of the alphabet, as NetBox lists them. */
const attributeNames: ReadonlyArray<string> = [
  'id',
  ...Object.keys(serverFields).filter((name) => !serverFields[name]?.internal && serverFields[name]?.type !== 'json'),
].sort()

/** An attribute as its column compares it; undefined: it is no number where one must be. */
function readAttribute(name: string, value: unknown): Attribute | undefined {
  if (value === null) return null
  if (name === 'id' || serverFields[name]?.type === 'integer') {
    const number = typeof value === 'string' && isNumeric(value) ? Number(value) : value
    return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
  }
  if (typeof value === 'boolean') return value
  return typeof value === 'string' ? value : pythonText(value)
}

const isNumeric = (text: string): boolean => /^[+-]?\d{1,15}$/.test(text)

const noSuchId = (id: number): Checked => rejected(`Related object not found using the provided numeric ID: ${id}`)

const unrecognized = (value: string): string =>
  `Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value: ${value}`
