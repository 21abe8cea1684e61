import type { Child } from 'hono/jsx'

/** The one row of a table without rows, over all its columns. */
export const EmptyRow = ({ columns, children }: { columns: number; children?: Child }) => (
  <tr>
    <td colspan={columns} class="text-secondary text-center py-5">
      {children}
    </td>
  </tr>
)
