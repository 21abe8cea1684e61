import type { SimulatedResponse } from '../http/response.ts'
import type { Fault } from './fault.ts'

/** The same reply with the first row that has the wanted fields made odd; as it is when no row has them, or it is no list. */
export const withOddRow = (
  response: SimulatedResponse,
  fault: Extract<Fault, { readonly kind: 'row' }>,
): SimulatedResponse => {
  const text = [...response.body].join('')
  if (response.status !== 200) return { ...response, body: [text] }
  const envelope: { data: unknown } = JSON.parse(text)
  if (!Array.isArray(envelope.data)) return { ...response, body: [text] }
  const index = envelope.data.findIndex((row: unknown) =>
    Object.entries(fault.where).every(([field, value]) => Reflect.get(Object(row), field) === value),
  )
  if (index >= 0) envelope.data[index] = isObject(fault.set) ? { ...envelope.data[index], ...fault.set } : fault.set
  return { ...response, body: [JSON.stringify(envelope)] }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
