import type { ModelName, registry } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import type { Row } from '../../rest/row.ts'
import type { ColumnKind } from '../components/data-table.tsx'

/** A field of a model. */
export type FieldOf<M extends ModelName> = keyof (typeof registry)[M]['fields'] & string

/** How pages show a field; what is left out follows from its type. */
export interface FieldPresentation {
  /** The head of its column; left out: the label of the registry. */
  readonly head?: string
  /** Its name on the page of a row, where there is space for more words; left out: the head. */
  readonly title?: string
  readonly kind?: ColumnKind
  /** Its value; undefined: by its type. Null: nothing to show. */
  readonly cell?: (row: Row) => Child | undefined
  /** Its value in a list, where there is less space. */
  readonly short?: (row: Row) => Child | undefined
}

/** How pages show the rows of a model. */
export interface Presentation<M extends ModelName = ModelName> {
  /** The columns of its list, in their order. They fit a page of 1280 pixels. */
  readonly columns: ReadonlyArray<FieldOf<M>>
  /** The column that names a row and leads to it. */
  readonly title: FieldOf<M>
  readonly fields: { readonly [F in FieldOf<M>]?: FieldPresentation }
  /** Fields that the page of a row folds away. */
  readonly technical: ReadonlyArray<FieldOf<M>>
  /** Fields that the filter form offers first. */
  readonly filters: ReadonlyArray<FieldOf<M>>
}
