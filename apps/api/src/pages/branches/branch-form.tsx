import { maxBranchDescription, maxBranchName } from '../../branches/read-branch-request.ts'
import { addBranchPage, branchesPage } from '../../rest/page-paths.ts'

/** The typed texts, and the errors by field. */
export interface BranchFormProps {
  readonly formToken: string
  readonly values: Readonly<Record<string, string>>
  readonly errors: Readonly<Record<string, ReadonlyArray<string>>>
}

/** Opens a branch. */
export const BranchForm = ({ formToken, values, errors }: BranchFormProps) => (
  <form class="card netbox-pbs-form" method="post" action={addBranchPage}>
    <div class="card-body">
      <input type="hidden" name="form_token" value={formToken} />
      <Input
        name="name"
        label="Name"
        value={values['name'] ?? ''}
        wrong={errors['name'] ?? []}
        max={maxBranchName}
        required
      />
      <Input
        name="description"
        label="Description"
        value={values['description'] ?? ''}
        wrong={errors['description'] ?? []}
        max={maxBranchDescription}
      />
      <p class="text-secondary mb-0">
        Opening a branch costs nothing. Its changes stay out of the inventory until you merge it.
      </p>
    </div>
    <div class="card-footer btn-list justify-content-end">
      <a class="btn" href={branchesPage}>
        Cancel
      </a>
      <button class="btn btn-primary" type="submit">
        Open branch
      </button>
    </div>
  </form>
)

const Input = (props: {
  name: string
  label: string
  value: string
  wrong: ReadonlyArray<string>
  max: number
  required?: boolean
}) => {
  const invalid = props.wrong.length > 0
  return (
    <div class="mb-3">
      <label class={props.required === true ? 'form-label required' : 'form-label'} for={props.name}>
        {props.label}
      </label>
      <input
        class={invalid ? 'form-control is-invalid' : 'form-control'}
        id={props.name}
        name={props.name}
        value={props.value}
        maxlength={props.max}
        required={props.required}
        autocomplete="off"
        aria-describedby={invalid ? `${props.name}-error` : undefined}
      />
      {invalid ? (
        <div class="invalid-feedback" id={`${props.name}-error`}>
          {props.wrong.join(' ')}
        </div>
      ) : null}
    </div>
  )
}
