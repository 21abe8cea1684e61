import { type ListQuery, type ModelName, type OrderTerm, registry } from '@netbox-pbs/core'

const defaultLimit = 50
const maxLimit = 1000

const whole = (text: string | null, fallback: number): number =>
  text !== null && /^\d{1,9}$/.test(text) ? Number(text) : fallback

/** What a list page's address asks for. Anything it does not understand is as if it were not there. */
export function parsePageQuery<M extends ModelName>(
  model: M,
  parameters: URLSearchParams,
): ListQuery<M> & { readonly page: { readonly _tag: 'offset' } } {
  const limit = Math.min(Math.max(whole(parameters.get('limit'), defaultLimit), 1), maxLimit)
  const search = parameters.get('q')?.trim() ?? ''
  return {
    model,
    filters: filters(model, parameters),
    search: search === '' ? null : search,
    order: order(model, parameters.get('ordering')),
    page: { _tag: 'offset', limit, offset: whole(parameters.get('offset'), 0) },
  }
}

/** Links between pages narrow by `server_id` and by text columns. */
function filters(model: ModelName, parameters: URLSearchParams): ListQuery['filters'] {
  const fields: Readonly<Record<string, { readonly type: string }>> = registry[model].fields
  return [...new Set(parameters.keys())].flatMap((name): ListQuery['filters'] => {
    const values = parameters.getAll(name)
    if (name === 'server_id' && 'server' in fields)
      return [{ field: 'server', lookup: 'exact', values: values.map((value) => whole(value, 0)) }]
    const type = fields[name]?.type
    return type === 'text' || type === 'choice' ? [{ field: name, lookup: 'exact', values }] : []
  })
}

function order(model: ModelName, ordering: string | null): ReadonlyArray<OrderTerm> {
  const field = ordering?.replace(/^-/, '') ?? ''
  return field in registry[model].fields ? [{ field, descending: ordering?.startsWith('-') ?? false }] : []
}
