/** What stands where there is no value. */
export const Nothing = () => <span class="text-secondary">—</span>
