import { type Branch, type BranchChange, branchAllows, registry } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import { rowPage } from '../../rest/page-paths.ts'
import { Badge } from '../components/badge.tsx'
import { BranchedValue, fieldLabel } from '../components/cell.tsx'
import { EmptyRow } from '../components/empty-row.tsx'

const colors: Readonly<Record<BranchChange['action'], string>> = { create: 'green', update: 'blue', delete: 'red' }
const words: Readonly<Record<BranchChange['action'], string>> = {
  create: 'created',
  update: 'updated',
  delete: 'deleted',
}

/** The changes of a branch: each object with its values before and after. `empty` is shown when there are none. */
export const BranchChanges = (props: { branch: Branch; changes: ReadonlyArray<BranchChange>; empty: string }) => (
  <section class="table-responsive" tabindex={0} aria-label="Changes of this branch">
    <table class="table card-table netbox-pbs-list netbox-pbs-changes">
      <caption class="visually-hidden">Changes of this branch</caption>
      <thead>
        <tr>
          {['Object', 'Change', 'Field', 'Before', 'After'].map((head) => (
            <th scope="col">{head}</th>
          ))}
        </tr>
      </thead>
      {props.changes.map((change) => (
        <ChangedObject branch={props.branch} change={change} />
      ))}
      {props.changes.length === 0 ? (
        <tbody>
          <EmptyRow columns={5}>{props.empty}</EmptyRow>
        </tbody>
      ) : null}
    </table>
  </section>
)

/**
 * An object and its fields, a row each. Those of one that is made or deleted are as a rule all of
 * them, so they are folded away.
 */
const ChangedObject = ({ branch, change }: { branch: Branch; change: BranchChange }) => {
  const fields = changedFields(change)
  const rows = change.action === 'update' ? Math.max(1, fields.length) : 1
  const object = (
    <>
      <td class="netbox-pbs-side netbox-pbs-title" rowspan={rows}>
        <ObjectLink branch={branch} change={change} />
        <div class="text-secondary">{registry[change.model].label}</div>
      </td>
      <td rowspan={rows}>
        <Badge color={colors[change.action]} label={words[change.action]} />
      </td>
    </>
  )
  if (change.action !== 'update')
    return (
      <tbody>
        <tr>
          {object}
          <td colspan={3}>
            <details>
              <summary>{fields.length === 1 ? '1 value' : `${fields.length} values`}</summary>
              <dl class="row mt-2 mb-0">
                {fields.map((name) => (
                  <>
                    <dt class="col-5 text-secondary fw-normal">{fieldLabel(change.model, name)}</dt>
                    <dd class="col-7 netbox-pbs-break">{side(change, change.after ?? change.before, name)}</dd>
                  </>
                ))}
              </dl>
            </details>
          </td>
        </tr>
      </tbody>
    )
  return (
    <tbody>
      {fields.length > 0 ? null : (
        <tr>
          {object}
          <td class="text-secondary netbox-pbs-field" colspan={3}>
            No value: the object is taken over as its source lists it.
          </td>
        </tr>
      )}
      {fields.map((name, i) => (
        <tr>
          {i === 0 ? object : null}
          <td class="text-secondary netbox-pbs-field">{fieldLabel(change.model, name)}</td>
          <td class="netbox-pbs-side" data-head="Before">
            {side(change, change.before, name)}
          </td>
          <td class="netbox-pbs-side" data-head="After">
            {side(change, change.after, name)}
          </td>
        </tr>
      ))}
    </tbody>
  )
}

type Values = BranchChange['before']

const side = ({ model }: BranchChange, values: Values, name: string): Child => (
  <BranchedValue model={model} name={name} value={values?.[name] ?? null} />
)

/**
 * The fields to show: all that an update touches, and of a whole object those with a value; its
 * server is in its name.
 */
const changedFields = ({ action, before, after }: BranchChange): ReadonlyArray<string> =>
  Object.entries(after ?? before ?? {})
    .filter(([name, value]) => action === 'update' || (name !== 'server' && !isBlank(value)))
    .map(([name]) => name)

const isBlank = (value: unknown): boolean =>
  value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)

/** A link to the row: in the branch while that is open; a row that the branch deletes is still in main. */
const ObjectLink = ({ branch, change }: { branch: Branch; change: BranchChange }) => {
  const { model, objectId, title, action } = change
  const readable = branchAllows(branch, 'read')
  const there = readable || (branch.status === 'merged' && action !== 'delete')
  return there ? (
    <a class="fw-medium" href={rowPage(model, objectId, readable && action !== 'delete' ? branch : null)}>
      {title}
    </a>
  ) : (
    <span class="fw-medium">{title}</span>
  )
}
