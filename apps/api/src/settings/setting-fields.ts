import { z } from 'zod'
import { SettingsChange } from './read-settings.ts'

/** The name of a setting that a write takes. */
export type SettingName = keyof typeof SettingsChange.shape

/** How a setting is typed: what its schema takes. The key of the gateway is written and never shown. */
export type SettingField =
  | { readonly type: 'boolean' | 'number' | 'text' | 'list' | 'secret' }
  | { readonly type: 'choice'; readonly choices: ReadonlyArray<string> }

/** Each setting that a write takes, as its schema describes it. */
export const settingFields: Readonly<Record<SettingName, SettingField>> = Object.fromEntries(
  Object.entries(z.toJSONSchema(SettingsChange, { io: 'input', unrepresentable: 'any' }).properties ?? {}).map(
    ([name, property]) => [name, fieldOf(name, property)],
  ),
) as Record<SettingName, SettingField> // border: the properties of a schema are the keys of its shape

function fieldOf(name: string, property: z.core.JSONSchema._JSONSchema): SettingField {
  if (name === 'proxbox_api_key') return { type: 'secret' }
  if (typeof property === 'boolean') return { type: 'text' }
  if (property.enum !== undefined) return { type: 'choice', choices: property.enum.map(String) }
  switch (property.type) {
    case 'boolean':
      return { type: 'boolean' }
    case 'integer':
    case 'number':
      return { type: 'number' }
    case 'array':
      return { type: 'list' }
    default:
      return { type: 'text' }
  }
}

/** Texts of a form by field. Of a box without a tick there is none. */
type Texts = Readonly<Record<string, string>>

/** The box that removes the stored key of the gateway. */
export const removeKey = 'remove_proxbox_api_key'

/**
 * The texts of a form as the body of a write, which judges them. A blank secret changes nothing; of
 * a text that is no number the write says so.
 */
export function settingsBody(texts: Texts): Readonly<Record<string, unknown>> {
  const named = Object.entries(settingFields).flatMap(([name, field]): ReadonlyArray<readonly [string, unknown]> => {
    const text = texts[name]?.trim()
    if (field.type === 'boolean') return [[name, text === 'true']]
    if (text === undefined) return []
    if (field.type === 'number') return [[name, text !== '' && Number.isFinite(Number(text)) ? Number(text) : text]]
    if (field.type === 'list') return [[name, text.split(/[\s,]+/).filter((one) => one !== '')]]
    if (field.type !== 'secret' || text !== '') return [[name, text]]
    return texts[removeKey] === 'true' ? [[name, '']] : []
  })
  return Object.fromEntries(named)
}
