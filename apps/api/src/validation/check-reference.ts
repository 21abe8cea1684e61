import type { KnownRows, ReferencedRows } from '@netbox-pbs/core'
import { accepted, type Checked, notNull, rejected } from './check-value.ts'
import { pythonText } from './python-text.ts'

/** A reference to another row in a body: a number is an id, a text a name, a dictionary both or either. */
type Reference =
  | { readonly _tag: 'id'; readonly id: number }
  | { readonly _tag: 'name'; readonly name: string }
  | { readonly _tag: 'attributes'; readonly id: number | null; readonly name: string | null }
  | { readonly _tag: 'rejected'; readonly message: string }

/** The rows to look up before `checkReference` can check the reference. */
export function referencedByInput(input: unknown): ReferencedRows {
  const reference = readReference(input)
  switch (reference._tag) {
    case 'id':
      return { names: [], ids: [reference.id] }
    case 'name':
      return { names: [reference.name], ids: isNumeric(reference.name) ? [Number(reference.name)] : [] }
    case 'attributes':
      return {
        names: reference.name === null ? [] : [reference.name],
        ids: reference.id === null ? [] : [reference.id],
      }
    case 'rejected':
      return { names: [], ids: [] }
  }
}

/** The id of the row meant. A text that is no name may still be an id, as NetBox takes it. */
export function checkReference(input: unknown, { ids, idsByName }: KnownRows): Checked {
  if (input === null) return notNull
  const reference = readReference(input)
  switch (reference._tag) {
    case 'rejected':
      return rejected(reference.message)
    case 'id':
      return ids.has(reference.id) ? accepted(reference.id) : noSuchId(reference.id)
    case 'name': {
      const id = idsByName.get(reference.name)
      if (id !== undefined) return accepted(id)
      if (!isNumeric(reference.name)) return rejected(unrecognized(reference.name))
      return ids.has(Number(reference.name)) ? accepted(Number(reference.name)) : noSuchId(reference.name)
    }
    case 'attributes': {
      const named = reference.name === null ? reference.id : idsByName.get(reference.name)
      const found = named !== undefined && named !== null && (reference.id === null || named === reference.id)
      return found && (reference.name !== null || ids.has(named))
        ? accepted(named)
        : rejected(`Related object not found using the provided attributes: ${pythonText(input)}`)
    }
  }
}

function readReference(input: unknown): Reference {
  if (typeof input === 'number' && Number.isSafeInteger(input)) return { _tag: 'id', id: input }
  if (typeof input === 'string') return { _tag: 'name', name: input.trim() }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { _tag: 'rejected', message: unrecognized(typeof input === 'string' ? input : pythonText(input)) }
  }
  const attributes = new Map<string, unknown>(Object.entries(input))
  const unknown = [...attributes.keys()].find((key) => key !== 'id' && key !== 'name')
  if (unknown !== undefined) {
    return {
      _tag: 'rejected',
      message: `Cannot resolve keyword ${pythonText(unknown)} into field. Choices are: id, name`,
    }
  }
  if (attributes.size === 0) return { _tag: 'rejected', message: 'Multiple objects match the provided attributes: {}' }
  const id = attributes.get('id')
  const name = attributes.get('name')
  const numeric = typeof id === 'string' && isNumeric(id) ? Number(id) : id
  if (id !== undefined && (typeof numeric !== 'number' || !Number.isSafeInteger(numeric))) {
    return { _tag: 'rejected', message: `Field 'id' expected a number but got ${pythonText(id)}.` }
  }
  return {
    _tag: 'attributes',
    id: typeof numeric === 'number' ? numeric : null,
    name: name === undefined ? null : typeof name === 'string' ? name : pythonText(name),
  }
}

const isNumeric = (text: string): boolean => /^[+-]?\d{1,15}$/.test(text)

const noSuchId = (id: number | string): Checked =>
  rejected(`Related object not found using the provided numeric ID: ${id}`)

const unrecognized = (value: string): string =>
  `Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value: ${value}`
