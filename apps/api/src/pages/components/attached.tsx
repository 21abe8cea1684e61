import {
  type Attached,
  fieldTitle,
  type JsonValue as Json,
  type Model,
  type ModelField,
  type Tag,
  tagsOf,
  withLabel,
} from '@netbox-pbs/core'
import { listPage } from '../../rest/page-paths.ts'
import type { Row } from '../../rest/row.ts'
import { JsonValue, Nothing, Tick } from './cell.tsx'
import { formatTime } from './format.ts'
import type { PageBranch } from './viewer.ts'

/**
 * Tags as chips that lead to the rows with the same tag. The colour is in a dot of its own, so that
 * the name stays readable on every colour, and an attribute of the picture, because inline styles are
 * not allowed.
 */
export const TagChips = ({ tags, model, branch }: { tags: ReadonlyArray<Tag>; model: Model; branch: PageBranch }) => (
  <>
    {tags.map(({ name, slug, color, description }) => {
      const list = listPage(model.name, branch)
      const href = `${list}${list.includes('?') ? '&' : '?'}tag=${encodeURIComponent(slug)}`
      return (
        <>
          <a class="badge netbox-pbs-badge netbox-pbs-secondary" href={href} title={description || undefined}>
            <svg width="10" height="10" viewBox="0 0 10 10" class="me-1" aria-hidden="true">
              <circle cx="5" cy="5" r="4.5" fill={`#${color}`} stroke="currentColor" stroke-width="0.5" />
            </svg>
            {name}
          </a>{' '}
        </>
      )
    })}
  </>
)

/** A row, with the definitions of what people attached to it. */
interface AttachedProps {
  readonly model: Model
  readonly row: Row
  readonly attached: Attached
  readonly branch: PageBranch
}

/** The tags and custom fields of a row, in panels; fields that are hidden, or shown only with a value, are left out. */
export const AttachedPanels = ({ model, row, attached, branch }: AttachedProps) => {
  const tags = tagsOf(row, attached)
  const shown = attached.fields.filter(
    (field) => field.ui_visible === 'always' || (field.ui_visible === 'if-set' && !isUnset(customValue(row, field))),
  )
  const groups = [...new Set(shown.map(({ group_name }) => group_name))]
  return (
    <>
      {tags.length === 0 ? null : (
        <section class="card">
          <div class="card-header">
            <h2 class="card-title">Tags</h2>
          </div>
          <div class="card-body">
            <TagChips tags={tags} model={model} branch={branch} />
          </div>
        </section>
      )}
      {groups.map((group) => (
        <section class="card">
          <div class="card-header">
            <h2 class="card-title">{group === '' ? 'Custom fields' : group}</h2>
          </div>
          <table class="table card-table netbox-pbs-attributes">
            <tbody>
              {shown
                .filter(({ group_name }) => group_name === group)
                .map((field) => (
                  <tr>
                    <th scope="row" title={field.description || undefined}>
                      {fieldTitle(field)}
                    </th>
                    <td class="netbox-pbs-break">
                      <CustomValue field={field} value={customValue(row, field)} />
                    </td>
                  </tr>
                ))}
            </tbody>
          </table>
        </section>
      ))}
    </>
  )
}

const customValue = (row: Row, { key }: ModelField): Json => row.custom_fields[key] ?? null

const isUnset = (value: Json): boolean => value === null || value === '' || (Array.isArray(value) && value.length === 0)

/** A value by the type of its field. Only web addresses become links. */
const CustomValue = ({ field, value }: { field: ModelField; value: Json }) => {
  if (isUnset(value)) return <Nothing />
  switch (field.type) {
    case 'boolean':
      return <Tick yes={value === true} />
    case 'datetime':
      return <time datetime={String(value)}>{formatTime(String(value))}</time>
    case 'json':
      return <JsonValue value={value} />
    case 'url':
      return /^https?:\/\//i.test(String(value)) ? (
        <a href={String(value)} rel="noopener noreferrer">
          {String(value)}
        </a>
      ) : (
        <span>{String(value)}</span>
      )
    case 'select':
      return <span>{String(withLabel(field.choices, value).label)}</span>
    case 'multiselect':
      return (
        <span>
          {(Array.isArray(value) ? value : [value])
            .map((one) => String(withLabel(field.choices, one).label))
            .join(', ')}
        </span>
      )
    default:
      return <span>{String(value)}</span>
  }
}
