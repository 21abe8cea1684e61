import { type Field, type ModelName, registry } from '@netbox-pbs/core'

/**
 * The `OPTIONS` answer of a list or of one row: the fields a write takes, with their limits and
 * choices. There are no `actions` for a model that is only read.
 */
export function describeModel(
  model: ModelName,
  { place, actions }: { readonly place: 'List' | 'Instance'; readonly actions: boolean },
): object {
  const { label, writable } = registry[model]
  const about = {
    name: `${label} ${place}`,
    description: '',
    renders: ['application/json'],
    parses: ['application/json'],
  }
  if (!writable || !actions) return about
  const fields = describeFields(model)
  return { ...about, actions: place === 'List' ? { PUT: fields, POST: fields } : { PUT: fields } }
}

function describeFields(model: ModelName): Readonly<Record<string, object>> {
  const own = Object.entries<Field>(registry[model].fields).filter(([, field]) => !field.internal)
  return {
    id: readOnly('integer', 'ID'),
    url: readOnly('field', 'Url'),
    display_url: readOnly('field', 'Display url'),
    display: readOnly('field', 'Display'),
    ...Object.fromEntries(own.map(([name, field]) => [name, describeField(field)])),
    tags: { type: 'field', required: false, read_only: false, label: 'Tags', child: describeTag },
    custom_fields: { type: 'field', required: false, read_only: false, label: 'Custom fields' },
    created: readOnly('datetime', 'Created'),
    last_updated: readOnly('datetime', 'Last updated'),
  }
}

const readOnly = (type: string, label: string) => ({ type, required: false, read_only: true, label })

function describeField(field: Field): object {
  const { readOnly = false, label } = field
  const common = { required: (field.required ?? false) && !readOnly, read_only: readOnly, label }
  switch (field.type) {
    case 'text':
      return { type: 'string', ...common, max_length: field.max }
    case 'integer':
      return { type: 'integer', ...common, min_value: field.min, max_value: field.max }
    case 'choice':
      return {
        type: 'field',
        ...common,
        choices: field.choices.map((choice) => ({ value: choice.value, display_name: choice.label })),
      }
    case 'reference':
      return { type: 'nested object', ...common, children: describeReference }
    case 'json':
      return { type: 'field', ...common }
    default:
      return { type: field.type, ...common }
  }
}

const describeTag = {
  type: 'nested object',
  required: false,
  read_only: false,
  children: {
    id: readOnly('integer', 'Id'),
    url: readOnly('field', 'Url'),
    display_url: readOnly('field', 'Display url'),
    display: readOnly('field', 'Display'),
    name: { type: 'string', required: true, read_only: false, label: 'Name', max_length: 100 },
    slug: { type: 'slug', required: true, read_only: false, label: 'Slug', max_length: 100 },
    color: { type: 'string', required: false, read_only: false, label: 'Color', max_length: 6 },
  },
}

const describeReference = {
  id: readOnly('integer', 'ID'),
  url: readOnly('field', 'Url'),
  display: readOnly('field', 'Display'),
  name: {
    type: 'string',
    required: true,
    read_only: false,
    label: 'Name',
    max_length: registry.server.fields.name.max,
  },
}
