import type { Child } from 'hono/jsx'

/** What every field of a form has: its name and its words, and what is wrong with its value. */
interface FormField {
  readonly name: string
  readonly label: string
  readonly hint: string
  readonly wrong: ReadonlyArray<string>
}

/** A line of text. A secret is not shown while it is typed, and never filled in. */
export const TextField = ({
  value,
  secret = false,
  numeric = false,
  required = false,
  ...field
}: FormField & {
  readonly value: string
  readonly secret?: boolean
  readonly numeric?: boolean
  readonly required?: boolean | undefined
}) => (
  <Labelled field={field} required={required}>
    <input
      class={`form-control${invalid(field)}`}
      id={field.name}
      name={field.name}
      type={secret ? 'password' : 'text'}
      inputmode={numeric ? 'decimal' : undefined}
      autocomplete={secret ? 'new-password' : 'off'}
      spellcheck={false}
      value={value}
      required={required}
      aria-describedby={described(field)}
      aria-invalid={field.wrong.length > 0 ? 'true' : undefined}
    />
  </Labelled>
)

/** Several texts, one a line. */
export const LinesField = ({ value, ...field }: FormField & { readonly value: string }) => (
  <Labelled field={field}>
    <textarea
      class={`form-control${invalid(field)}`}
      id={field.name}
      name={field.name}
      rows={3}
      spellcheck={false}
      aria-describedby={described(field)}
      aria-invalid={field.wrong.length > 0 ? 'true' : undefined}
    >
      {value}
    </textarea>
  </Labelled>
)

/** One of some choices. */
export const ChoiceField = ({
  value,
  choices,
  ...field
}: FormField & {
  readonly value: string
  readonly choices: ReadonlyArray<{ readonly value: string; readonly label: string }>
}) => (
  <Labelled field={field}>
    <select
      class={`form-select${invalid(field)}`}
      id={field.name}
      name={field.name}
      aria-describedby={described(field)}
      aria-invalid={field.wrong.length > 0 ? 'true' : undefined}
    >
      {choices.map((choice) => (
        <option value={choice.value} selected={choice.value === value}>
          {choice.label}
        </option>
      ))}
    </select>
  </Labelled>
)

/** Yes or no; a browser sends `true`, or nothing. */
export const CheckField = ({ checked, ...field }: FormField & { readonly checked: boolean }) => (
  <div class="mb-3">
    <label class="form-check mb-0">
      <input
        class={`form-check-input${invalid(field)}`}
        type="checkbox"
        name={field.name}
        value="true"
        checked={checked}
        aria-describedby={described(field)}
      />
      <span class="form-check-label">{field.label}</span>
    </label>
    <Feedback {...field} />
  </div>
)

const Labelled = ({ field, required, children }: { field: FormField; required?: boolean; children: Child }) => (
  <div class="mb-3">
    <label class={required === true ? 'form-label required' : 'form-label'} for={field.name}>
      {field.label}
    </label>
    {children}
    <Feedback {...field} />
  </div>
)

const Feedback = ({ name, hint, wrong }: FormField) => (
  <>
    {wrong.length > 0 ? (
      <div class="invalid-feedback d-block" id={`${name}-error`}>
        {wrong.join(' ')}
      </div>
    ) : null}
    <small class="form-hint mt-1" id={`${name}-hint`}>
      {hint}
    </small>
  </>
)

const invalid = ({ wrong }: FormField): string => (wrong.length > 0 ? ' is-invalid' : '')

const described = ({ name, wrong }: FormField): string =>
  [`${name}-hint`, ...(wrong.length > 0 ? [`${name}-error`] : [])].join(' ')
