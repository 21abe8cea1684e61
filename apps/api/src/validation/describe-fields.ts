import { z } from 'zod'

/** The `OPTIONS` description of each field of a body's schema, in NetBox's form. */
export function describeFields(
  schema: z.ZodObject,
  required: ReadonlyArray<string> = [],
): Readonly<Record<string, object>> {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => {
      if (typeof property === 'boolean') return [name, { type: 'field' }]
      const about = { required: required.includes(name), read_only: false, label: fieldLabel(name) }
      if (property.enum !== undefined) {
        const choices = property.enum.map((value) => ({ value, display_name: fieldLabel(String(value)) }))
        return [name, { type: 'field', ...about, choices }]
      }
      const type = property.type === 'number' ? 'float' : (property.type ?? 'field')
      const limits = { max_length: property.maxLength, min_value: property.minimum, max_value: property.maximum }
      const known = Object.entries(limits).filter(([, limit]) => limit !== undefined)
      return [name, { type, ...about, ...Object.fromEntries(known) }]
    }),
  )
}

/** A field in words: `Proxbox API URL`. */
export const fieldLabel = (name: string): string => {
  const words = name
    .replaceAll('_', ' ')
    .replace(/\bapi\b/, 'API')
    .replace(/\burl\b/, 'URL')
    .replace(/\bpbs\b/, 'PBS')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
