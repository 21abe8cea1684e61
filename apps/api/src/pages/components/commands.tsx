/** Commands to run elsewhere, a line each. */
export const Commands = ({ commands }: { commands: ReadonlyArray<string> }) => (
  <pre class="mb-0">
    <code>{commands.join('\n')}</code>
  </pre>
)
