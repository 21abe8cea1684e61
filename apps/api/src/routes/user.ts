/** A user in brief form, as other objects show theirs. */
export const userAddress = (base: string, { id, username }: { readonly id: number; readonly username: string }) => ({
  id,
  url: `${base}/api/users/users/${id}/`,
  display: username,
  username,
})
