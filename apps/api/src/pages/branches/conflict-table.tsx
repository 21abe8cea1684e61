import { type Branch, type BranchConflict, possibleChoices, registry, scopeTitle } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import { branchedField } from '../../branches/resolve-conflicts.ts'
import { branchPage, rowPage } from '../../rest/page-paths.ts'
import { Badge } from '../components/badge.tsx'
import { BranchedValue, fieldLabel, JsonValue, Nothing } from '../components/cell.tsx'
import { DataTable, type TableColumn } from '../components/data-table.tsx'
import { Time } from '../components/time.tsx'
import { conflictWords, resolutionWords } from './conflict-kind.ts'

/** Conflicts as a page shows them. */
export interface ConflictTableProps {
  readonly branch: Branch
  readonly conflicts: ReadonlyArray<BranchConflict>
  /** The address of the list, to return to and to filter by. */
  readonly path: string
  readonly parameters: URLSearchParams
  /** Null: the viewer cannot resolve conflicts. */
  readonly formToken: string | null
  readonly empty: string
}

/** The conflicts of a branch, their three sides next to each other, with the forms that answer them. */
export const ConflictTable = (props: ConflictTableProps) => {
  const columns: ReadonlyArray<TableColumn<BranchConflict>> = [
    { head: 'What', kind: 'prose', title: true, cell: (conflict) => <What {...props} conflict={conflict} /> },
    ...(['base', 'main', 'branch'] as const).map(
      (side): TableColumn<BranchConflict> => ({
        head: { base: 'Base', main: 'Main', branch: 'Branch' }[side],
        kind: 'prose',
        cell: (conflict) => <Side conflict={conflict} value={conflict[side]} />,
      }),
    ),
    { head: 'Answer', kind: 'actions', cell: (conflict) => <Answers {...props} conflict={conflict} /> },
  ]
  return <DataTable caption="Conflicts" columns={columns} rows={props.conflicts} empty={props.empty} />
}

type One = ConflictTableProps & { readonly conflict: BranchConflict }

const What = ({ branch, conflict, path, parameters }: One) => {
  const { model, objectId, title, field, kind, scope } = conflict
  const filtered = (name: string, value: string): string => {
    const next = new URLSearchParams(parameters)
    next.set(name, value)
    next.delete('offset')
    return `${path}?${next}`
  }
  return (
    <>
      {objectId === null ? (
        <span class="fw-medium">{title}</span>
      ) : (
        <a class="fw-medium" href={rowPage(model, objectId, kind === 'update_delete' ? null : branch)}>
          {title}
        </a>
      )}
      <div class="text-secondary">
        {registry[model].label}
        {field === null ? null : (
          <>
            {' · '}
            <a href={filtered('field', field)}>{fieldLabel(model, field)}</a>
          </>
        )}
      </div>
      <div>
        <a href={filtered('kind', kind)}>
          <Badge color="orange" label={conflictWords[kind].label} title={conflictWords[kind].sentence} />
        </a>
      </div>
      {scope === null || objectId === null ? null : (
        <div class="small">
          <a href={filtered('scope', conflict.scopeKey)}>{scopeTitle(scope)}</a>
        </div>
      )}
    </>
  )
}

const Side = ({ conflict: { model, field }, value }: { conflict: BranchConflict; value: BranchConflict['main'] }) => {
  if (field !== null) return <BranchedValue model={model} name={field} value={value} />
  return value === null ? <Nothing /> : <JsonValue value={value} />
}

const Answers = (props: One) => {
  const { conflict, branch, formToken } = props
  const { resolution } = conflict
  if (resolution !== null)
    return (
      <>
        <Badge color="green" label={resolutionWords[resolution.choice]} />
        {resolution.choice === 'value' && conflict.field !== null ? (
          <div class="netbox-pbs-break">
            <BranchedValue model={conflict.model} name={conflict.field} value={resolution.value} />
          </div>
        ) : null}
        <div class="text-secondary">
          by {conflict.resolvedBy}
          {conflict.resolvedAt === null ? null : (
            <>
              , <Time time={conflict.resolvedAt} />
            </>
          )}
        </div>
        {formToken === null ? null : (
          <ResolveForm {...{ ...props, formToken, branch }}>
            <Choose choice="none" label="Take back" conflict={conflict} />
          </ResolveForm>
        )}
      </>
    )
  if (formToken === null) return <span class="text-secondary">Unresolved</span>
  const choices = possibleChoices(conflict)
  return (
    <>
      <ResolveForm {...{ ...props, formToken, branch }}>
        {choices
          .filter((choice) => choice !== 'value')
          .map((choice) => (
            <Choose choice={choice} label={resolutionWords[choice]} conflict={conflict} />
          ))}
      </ResolveForm>
      {choices.includes('value') && conflict.field !== null ? (
        <details class="mt-1">
          <summary>Another value</summary>
          <ResolveForm {...{ ...props, formToken, branch }}>
            <ValueInput conflict={conflict} name={conflict.field} />
            <Choose choice="value" label={resolutionWords.value} conflict={conflict} />
          </ResolveForm>
        </details>
      ) : null}
    </>
  )
}

const ResolveForm = (props: One & { formToken: string; children?: Child }) => (
  <form class="netbox-pbs-buttons netbox-pbs-answers" method="post" action={`${branchPage(props.branch.id)}conflicts/`}>
    <input type="hidden" name="form_token" value={props.formToken} />
    <input type="hidden" name="id" value={String(props.conflict.id)} />
    <input type="hidden" name="next" value={`${props.path}?${props.parameters}`} />
    {props.children}
  </form>
)

const Choose = ({ choice, label, conflict }: { choice: string; label: string; conflict: BranchConflict }) => (
  <button
    class="btn btn-sm text-nowrap"
    type="submit"
    name="resolution"
    value={choice}
    aria-label={`${label}: ${conflict.title}${conflict.field === null ? '' : `, ${fieldLabel(conflict.model, conflict.field)}`}`}
  >
    {label}
  </button>
)

/** The input of a value: JSON for JSON, a list of choices for a choice. It begins with the branch's value. */
const ValueInput = ({ conflict, name }: { conflict: BranchConflict; name: string }) => {
  const field = branchedField(conflict.model, name)
  const label = `Another value for ${fieldLabel(conflict.model, name)} of ${conflict.title}`
  const value = conflict.branch
  if (field?.type === 'choice')
    return (
      <select class="form-select form-select-sm" name="value" aria-label={label}>
        {field.choices.map((choice) => (
          <option value={choice.value} selected={choice.value === value}>
            {choice.label}
          </option>
        ))}
      </select>
    )
  const text = typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value)
  return <input class="form-control form-control-sm" name="value" value={text} aria-label={label} autocomplete="off" />
}
