import type { Field, Filter, FilterField, RecordFields, RecordQuery } from '@netbox-pbs/core'

type Value = Filter['values'][number]

/** Whether a value of a row meets a filter: what `Filter` promises, in plain code over the row as it is served. */
export function meets(field: Field | FilterField, value: Value, { lookup, negated = false, values }: Filter): boolean {
  const met = values.some((wanted) => isMet(field, value, lookup, wanted))
  return negated ? !met : met
}

function isMet(field: Field | FilterField, value: Value, lookup: Filter['lookup'], wanted: Value): boolean {
  if (lookup === 'empty') return (value === null || value === '') === wanted
  if (wanted === null || value === null) return value === wanted
  if (typeof value === 'string' && typeof wanted === 'string' && field.type !== 'datetime') {
    return ofText(field, value, lookup, wanted)
  }
  const [a, b] = [sortable(value), sortable(wanted)]
  switch (lookup) {
    case 'lt':
      return a < b
    case 'lte':
      return a <= b
    case 'gt':
      return a > b
    case 'gte':
      return a >= b
    default:
      return a === b
  }
}

function ofText(field: Field | FilterField, value: string, lookup: Filter['lookup'], wanted: string): boolean {
  const [text, part] = [value.toLowerCase(), wanted.toLowerCase()]
  switch (lookup) {
    case 'ie':
      return text === part
    case 'ic':
      return text.includes(part)
    case 'isw':
      return text.startsWith(part)
    case 'iew':
      return text.endsWith(part)
    case 'regex':
      return new RegExp(wanted, 'u').test(value)
    case 'iregex':
      return new RegExp(wanted, 'iu').test(value)
    default: {
      const isOther = field.type === 'choice' && !field.choices.some((choice) => choice.value === value)
      return value === wanted || (isOther && wanted === 'unknown')
    }
  }
}

/** Moments as text of one length, so that text sorts as time does. */
const sortable = (value: Exclude<Value, null>): string | number =>
  typeof value === 'string'
    ? value.replace(/(?:\.(\d+))?Z$/, (_, digits = '') => `.${String(digits).padEnd(6, '0')}`)
    : Number(value)

/** What a list of records that are no inventory answers: those of `records`, in the list's order, that the query asks for. */
export function queried<A>(
  records: ReadonlyArray<A>,
  fields: RecordFields,
  valuesOf: (record: A) => Readonly<Record<string, Value>>,
  { where = [], order = [] }: RecordQuery,
): ReadonlyArray<A> {
  const met = records.filter((record) => {
    const values = valuesOf(record)
    return where.every((filter) => {
      const field = fields[filter.field]
      return field !== undefined && meets(field, values[filter.field] ?? null, filter)
    })
  })
  return order.toReversed().reduce<ReadonlyArray<A>>(
    (sorted, { field, descending }) =>
      sorted.toSorted((a, b) => {
        const [x, y] = [valuesOf(a)[field] ?? null, valuesOf(b)[field] ?? null]
        const sign = x === y ? 0 : x === null ? 1 : y === null ? -1 : sortable(x) < sortable(y) ? -1 : 1
        return descending ? -sign : sign
      }),
    met,
  )
}
